import { setTimeout as sleep } from 'node:timers/promises';
import { type Consumer, DurostoreError, type Store } from '../../src/mod.js';
import { NEVER } from './soak-plan.js';
import type { Workplace } from './soak-workplace.js';
import { originOf, partOf, sizeOfStream, streamOf } from './torture-records.js';

const MOST_PARTS = 5;
const KEPT_PARTS = 40;
const KEPT_STREAMS = 3;
const PIECE = 9000;
const WAIT_MS = 200;

/** Does something again and again, and closes the store now and then, or where nobody can tell how a call ended. */
async function again(at: Workplace, deed: (store: Store, number: number) => Promise<unknown>): Promise<void> {
  for (let number = 0; !at.signal.aborted; number++) {
    const { store } = await at.queue();
    const told = await deed(store, number);
    if (told === 'maybe' || (number + 1) % (at.plan.reopenEvery ?? NEVER) === 0) await at.close();
  }
  await at.close();
}

/**
 * Writes and deletes its own in transactions. Notes `begin`, number, how many it writes, the indexes that it deletes; then `done`, number,
 * the indexes of what it wrote; or `lost` or `maybe`, number.
 */
export async function transact(at: Workplace): Promise<void> {
  const { chance, notes, life } = at;
  const own: number[] = [];
  await again(at, async (store, number) => {
    const count = chance.integer(1, MOST_PARTS);
    const gone = own.slice(0, chance.integer(0, own.length > KEPT_PARTS ? 2 * MOST_PARTS : MOST_PARTS));
    notes.write([['begin', number, count, ...gone]]);
    try {
      const indexes = await store.transaction((tx) => {
        for (const index of gone) tx.delete(index);
        for (let part = 0; part < count; part++) tx.write(partOf(life, number, part));
      });
      notes.write([['done', number, ...indexes]]);
      own.splice(0, gone.length);
      own.push(...indexes);
      return 'done';
    } catch (error) {
      const word = at.excuse(error);
      notes.write([[word, number]]);
      // Whether they are gone nobody can tell; nobody else deletes them.
      if (word === 'maybe') own.splice(0, gone.length);
      return word;
    }
  });
}

/**
 * Writes values as streams, and deletes its oldest. Notes `stream`, number; then `streamed`, number, index; or `lost` or `maybe`, number; and
 * `deleting`, number, before that.
 */
export async function stream(at: Workplace): Promise<void> {
  const { notes, life } = at;
  const own: [number: number, index: number][] = [];
  async function* source(number: number): AsyncGenerator<Uint8Array, void> {
    const bytes = streamOf(life, number);
    for (let from = 0; from < sizeOfStream(life, number); from += PIECE) {
      await null;
      yield bytes.subarray(from, from + PIECE);
    }
  }
  await again(at, async (store, number) => {
    notes.write([['stream', number]]);
    try {
      const index = await store.writeStream(source(number));
      notes.write([['streamed', number, index]]);
      own.push([number, index]);
    } catch (error) {
      const word = at.excuse(error);
      notes.write([[word, number]]);
      return word;
    }
    if (own.length <= KEPT_STREAMS) return 'done';
    const [oldest] = own.splice(0, 1) as [[number, number]];
    notes.write([['deleting', oldest[0]]]);
    try {
      await store.delete(oldest[1]);
      return 'done';
    } catch (error) {
      return at.excuse(error);
    }
  });
}

/**
 * Reads as a named consumer, and commits. Notes `consumer`, name; `opening`, when, before it is opened; `got`, the first index and the last,
 * of what each call returned; `commit`, index, before and `committed`, index, when, behind each commit.
 */
export async function commit(at: Workplace, name: string): Promise<void> {
  const { chance, notes } = at;
  notes.write([['consumer', name]]);
  const use = async (consumer: Consumer): Promise<void> => {
    for (let calls = chance.integer(1, 60); calls > 0 && !at.signal.aborted; calls--) {
      const got = await consumer.nextMany(chance.integer(1, 30), { waitMs: WAIT_MS });
      const [first, last] = [got[0]?.index, got.at(-1)?.index];
      if (first === undefined || last === undefined) continue;
      if (got.some(({ index }, n) => index <= (got[n - 1]?.index ?? 0)))
        at.odd(`out of order behind ${first}`);
      notes.write([['got', first, last]]);
      if (chance.chance(0.3)) continue;
      const upTo = chance.chance(0.5) ? last : (chance.pick(got).index ?? last);
      notes.write([['commit', upTo]]);
      await consumer.commit(upTo);
      notes.write([['committed', upTo, at.now()]]);
    }
  };
  await again(at, async (store) => {
    try {
      notes.write([['opening', at.now()]]);
      const consumer = await store.consumer(name);
      try {
        await use(consumer);
      } finally {
        await consumer.close();
      }
      return 'done';
    } catch (error) {
      return at.excuse(error);
    }
  });
}

/** Follows what is written: whole, in order, and the records of a transaction one behind the other. */
export async function follow(at: Workplace): Promise<void> {
  await again(at, async (store) => {
    const from = at.chance.pick(['first', 'next', -20] as const);
    const limit = at.chance.integer(1, 500);
    let [last, key] = [0, ''];
    try {
      for await (const { index, data } of store.entries({ from, limit, follow: true, waitMs: WAIT_MS })) {
        if (index <= last) at.odd(`index ${index} behind ${last}`);
        const origin = originOf(data);
        if (origin === undefined) at.odd(`a record that nobody wrote: ${index}`);
        const before =
          origin?.kind === 'part' && origin.part > 0
            ? `${origin.life} ${origin.number} ${origin.part - 1}`
            : undefined;
        if (before !== undefined && index === last + 1 && key !== before)
          at.odd(`${index} is not behind ${before}, but ${key}`);
        last = index;
        key = origin?.kind === 'part' ? `${origin.life} ${origin.number} ${origin.part}` : '';
      }
      return 'done';
    } catch (error) {
      // It was deleted, and its file is gone, while it was read.
      if (error instanceof DurostoreError && error.code === 'CORRUPT') at.odd(`CORRUPT: ${error.message}`);
      return at.excuse(error);
    } finally {
      await sleep(1);
    }
  });
}
