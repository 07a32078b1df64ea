/**
 * One of several that put, or take, at the same time: `producer.js <subject> <directory> <put|take> <ms> <warmMs>`. Says that it is
 * ready, begins when it is told to, and says how many it had done in so many milliseconds behind those that warm up: among others
 * code runs that never does alone, and is compiled late where each has its turn only now and then.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { RECORD_BYTES, recordOf } from '../loops.js';
import { named } from '../subjects/named.js';
import { warm } from './warm.js';

/** More would be throttled by the system, for what was written and is not on the device yet. */
const MOST_WARM_TURNS = 20_000;

export interface Worked {
  readonly done: number;
  /** As long as was asked for, or until nothing was left. */
  readonly ms: number;
}

async function work([
  name = '',
  directory = '',
  what = '',
  ms = '',
  warmMs = '',
]: readonly string[]): Promise<void> {
  const subject = await named(name, RECORD_BYTES);
  await warm(subject, RECORD_BYTES);
  const opened = await subject.open({ directory, durability: 'written', as: 'queue', shared: true });
  const record = recordOf(RECORD_BYTES);
  process.send?.('ready');
  await once(process, 'message');
  const put = async (): Promise<void> => {
    const later = opened.put?.(record);
    if (later instanceof Promise) await later;
  };
  const warmUntil = performance.now() + Number(warmMs);
  for (let turn = 0; turn < MOST_WARM_TURNS && performance.now() < warmUntil; turn++) {
    if (what === 'take') await opened.take?.();
    // What is taken is put back: as much is left as there was.
    await put();
  }
  await sleep(Math.max(0, warmUntil - performance.now()));
  const begin = performance.now();
  const until = begin + Number(ms);
  let done = 0;
  while (performance.now() < until) {
    const later = what === 'put' ? opened.put?.(record) : opened.take?.();
    const got = later instanceof Promise ? await later : later;
    if (what === 'take' && got === undefined) break;
    done += 1;
  }
  const worked: Worked = { done, ms: performance.now() - begin };
  await new Promise<void>((resolve) => process.send?.(worked, () => resolve()));
  await opened.close();
  process.disconnect?.();
}

if (process.send !== undefined) await work(process.argv.slice(2));
