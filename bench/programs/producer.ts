/**
 * One of several that put, or take, at the same time: `producer.js <subject> <directory> <put|take> <ms>`. Says that it is
 * ready, begins when it is told to, and says how many it had done.
 */
import { once } from 'node:events';
import { RECORD_BYTES, recordOf } from '../loops.js';
import { named } from '../subjects/named.js';
import { warm } from './warm.js';

export interface Worked {
  readonly done: number;
  /** As long as was asked for, or until nothing was left. */
  readonly ms: number;
}

async function work([name = '', directory = '', what = '', ms = '']: readonly string[]): Promise<void> {
  const subject = await named(name, RECORD_BYTES);
  await warm(subject, RECORD_BYTES);
  const opened = await subject.open({ directory, durability: 'written', as: 'queue', shared: true });
  const record = recordOf(RECORD_BYTES);
  process.send?.('ready');
  await once(process, 'message');
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
