/**
 * The other side of two processes: `consumer.js <subject> <directory> <by> <count> ...`. For each count: says when it waits; when
 * it has had so many, says when that was, and how long each was on its way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../statistics.js';
import type { Opened } from '../subject.js';
import { named } from '../subjects/named.js';
import { warm } from './warm.js';

/** What two processes send each other; the first eight bytes are the moment of sending, in nanoseconds. */
export const SMALL_BYTES = 200;
const POLL_MS = 1;

export interface Received {
  /** Nanoseconds on the machine's monotonic clock, when the last one came. */
  readonly endedAt: string;
  /** Milliseconds from sending to having. */
  readonly p50: number;
  readonly p99: number;
}

/** Who has no way to wait for records looks for them each millisecond. */
async function poll(
  opened: Opened,
  by: number,
  count: number,
  had: (record: Uint8Array) => void,
): Promise<void> {
  let left = count;
  while (left > 0) {
    const some =
      by === 1 || opened.takeMany === undefined ? await opened.take?.() : await opened.takeMany(by);
    const records = some === undefined ? [] : some instanceof Uint8Array ? [some] : some;
    for (const record of records) had(record);
    left -= records.length;
    if (records.length === 0) await sleep(POLL_MS);
  }
}

async function consume([name = '', directory = '', by = '', ...counts]: readonly string[]): Promise<void> {
  let delays: number[] = [];
  const had = (record: Uint8Array): void => {
    const sent = Buffer.from(record.buffer, record.byteOffset, 8).readBigUInt64LE();
    delays.push(Number(process.hrtime.bigint() - sent) / 1e6);
  };
  const waits = (): void => {
    process.send?.('waits');
  };
  const subject = await named(name, SMALL_BYTES);
  await warm(subject, SMALL_BYTES);
  const opened = await subject.open({ directory, durability: 'written', as: 'queue' });
  for (const count of counts) {
    delays = [];
    if (opened.follow !== undefined) await opened.follow(Number(by), Number(count), had, waits);
    else {
      waits();
      await poll(opened, Number(by), Number(count), had);
    }
    const endedAt = String(process.hrtime.bigint());
    const received: Received = { endedAt, p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) };
    await new Promise<void>((resolve) => process.send?.(received, () => resolve()));
  }
  await opened.close();
  process.disconnect?.();
}

if (process.send !== undefined) await consume(process.argv.slice(2));
