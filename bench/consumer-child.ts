/**
 * The other side of two processes: `consumer-child.js <directory> <ours|bare> <batch> <count>`. Tells when it waits, and
 * when it has had all; what is sent singly, with pauses, begins with the moment of sending, and it tells the delays.
 */
import { closeSync, openSync, readSync, watch } from 'node:fs';
import { join } from 'node:path';
import { openQueue } from '../src/mod.js';

/** What two processes send each other. */
export const SMALL_BYTES = 200;

export interface Received {
  /** Nanoseconds on the machine's monotonic clock, when the last one came. */
  readonly endedAt: string;
  /** Milliseconds from sending to having, of each. */
  readonly delays: readonly number[];
}

const [directory = '', side = '', batch = '', count = ''] = process.argv.slice(2);
const wanted = Number(count);
const delays: number[] = [];

function had(bytes: Uint8Array): void {
  const sent = Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigUInt64LE();
  delays.push(Number(process.hrtime.bigint() - sent) / 1e6);
}

async function ours(): Promise<void> {
  const queue = await openQueue<Uint8Array>({
    directory,
    codec: 'bytes',
    locking: 'os',
    durability: 'written',
  });
  const wait = { waitMs: Number.POSITIVE_INFINITY };
  process.send?.('waiting');
  while (delays.length < wanted) {
    if (batch === '1') {
      const one = await queue.dequeue(wait);
      if (one !== undefined) had(one);
    } else for (const one of await queue.dequeueMany(Number(batch), wait)) had(one);
  }
  await tell();
  await queue.close();
}

/** Follows a file by its notices. */
async function bare(): Promise<void> {
  const file = openSync(join(directory, 'tail'), 'r');
  const into = Buffer.alloc(SMALL_BYTES * Number(batch));
  let position = 0;
  await new Promise<void>((resolve) => {
    const read = (): void => {
      for (;;) {
        const length = readSync(file, into, 0, into.length, position);
        for (let at = 0; at + SMALL_BYTES <= length; at += SMALL_BYTES) had(into.subarray(at));
        position += length - (length % SMALL_BYTES);
        if (length < SMALL_BYTES) break;
      }
      if (delays.length < wanted) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(join(directory, 'tail'), read);
    process.send?.('waiting');
    read();
  });
  await tell();
  closeSync(file);
}

function tell(): Promise<void> {
  const received: Received = { endedAt: String(process.hrtime.bigint()), delays };
  return new Promise((resolve) => process.send?.(received, () => resolve()));
}

if (process.send !== undefined) {
  await (side === 'ours' ? ours() : bare());
  process.disconnect?.();
}
