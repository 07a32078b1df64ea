/**
 * Opens a store in a fresh process and reads at random; tells what that took: `many-records-child.js <directory>
 * <records> <reads>`.
 */
import { performance } from 'node:perf_hooks';
import { openStore } from '../src/mod.js';
import { anyOrder } from './order.js';

export interface ManyRecordsFigures {
  readonly openMs: number;
  /** Bytes of resident memory before opening, after it, and after the reads. */
  readonly before: number;
  readonly opened: number;
  readonly read: number;
  readonly readMicroseconds: number;
  readonly wrong: number;
}

/** What record `index` holds. */
export function contentOf(index: number, into: Buffer): Buffer {
  into.fill(index & 0xff);
  into.writeDoubleLE(index, 0);
  return into;
}

async function main([directory = '', records = '', reads = '']: readonly string[]): Promise<void> {
  const before = process.memoryUsage.rss();
  const begin = performance.now();
  const store = await openStore({ directory, locking: 'os', durability: 'written' });
  const length = await store.length();
  const openMs = performance.now() - begin;
  const opened = process.memoryUsage.rss();
  let wrong = length === Number(records) ? 0 : 1;
  const expected = Buffer.alloc(100);
  const order = anyOrder(Number(records), Number(reads));
  const readBegin = performance.now();
  for (const index of order) {
    const found = await store.read(index);
    if (found === undefined || contentOf(index, expected).compare(found) !== 0) wrong += 1;
  }
  const readMicroseconds = ((performance.now() - readBegin) * 1000) / order.length;
  const figures: ManyRecordsFigures = {
    openMs,
    before,
    opened,
    read: process.memoryUsage.rss(),
    readMicroseconds,
    wrong,
  };
  await store.close();
  process.send?.(figures);
}

if (process.send !== undefined) await main(process.argv.slice(2));
