import { setTimeout as sleep } from 'node:timers/promises';
import { DurostoreError, verify } from '../../src/mod.js';
import { NEVER, nameOf } from './soak-plan.js';
import type { Workplace } from './soak-workplace.js';

const QUIET_MS = 300;
const NOTED_ONE_IN = 4;
const VERIFY_EVERY_MS = 1000;

/**
 * Follows what is written, from the oldest there is, or from now on. What it sees has growing indexes, and times that do not go
 * back. Notes some of it: `saw`, index, name.
 */
export async function read(at: Workplace): Promise<void> {
  for (let calls = 1; !at.signal.aborted; calls++) {
    const queue = await at.queue();
    const from = at.chance.pick(['first', 'next', -20] as const);
    let last = 0;
    let time = 0;
    const limit = at.chance.integer(1, 500);
    for await (const entry of queue.store.entries({ from, limit, follow: true, waitMs: QUIET_MS })) {
      if (entry.index <= last) at.odd(`index ${entry.index} behind ${last}`);
      if (entry.time.getTime() < time) at.odd(`the time of ${entry.index} is before that of ${last}`);
      last = entry.index;
      time = entry.time.getTime();
      const name = nameOf(JSON.parse(Buffer.from(entry.data).toString()));
      if (name === undefined) at.odd(`a record that nobody wrote: ${entry.index}`);
      else if (last % NOTED_ONE_IN === 0) at.notes.write([['saw', last, name]]);
    }
    if (calls % (at.plan.reopenEvery ?? NEVER) === 0) await at.close();
  }
  await at.close();
}

/** Whatever others do meanwhile, there is no damage and no loss. Notes `verified`. */
export async function verifyAgainAndAgain(at: Workplace): Promise<void> {
  while (!at.signal.aborted) {
    try {
      const { ok, findings } = await verify({ directory: at.directory });
      const serious = findings.filter(({ severity }) => severity !== 'note');
      if (!ok || serious.length > 0) at.odd(`verify: ${JSON.stringify(serious)}`);
      at.notes.write([['verified']]);
    } catch (error) {
      // Nobody has opened it yet.
      if (!(error instanceof DurostoreError && error.code === 'INVALID_OPTION')) throw error;
    }
    await sleep(VERIFY_EVERY_MS);
  }
}
