/**
 * Passes messages through a queue in a fresh process, and tells how much memory it had on the way: `passing.js
 * <directory> <messages> produce|consume`, or `… allocate`: how much an operation allocates. Wants `--expose-gc`.
 */
import { openQueue, type Queue } from '../../src/mod.js';

/** Bytes at a moment, after a full garbage collection. */
export interface MemorySample {
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
}

export interface Allocation {
  readonly name: string;
  /** Bytes of the heap for each message. */
  readonly bytes: number;
}

const BATCH = 100;
const SAMPLES = 100;
/** The producer is never further ahead, so that the queue's length does not matter. */
const MOST_AHEAD = 10_000;

type Bytes = Queue<Uint8Array>;

/** 100 to 200 bytes. */
const batch = Array.from({ length: BATCH }, (_, at) => Buffer.alloc(100 + at, 'm'));

function sample(): MemorySample {
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return { heapUsed, external, arrayBuffers, rss };
}

async function produce(queue: Bytes, messages: number, each: () => void): Promise<void> {
  for (let done = 0; done < messages; done += BATCH) {
    await queue.enqueueMany(batch);
    each();
    if (done % MOST_AHEAD === 0)
      while ((await queue.length()) > MOST_AHEAD) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function consume(queue: Bytes, messages: number, each: () => void): Promise<void> {
  for (let done = 0; done < messages; ) {
    const { length } = await queue.dequeueMany(BATCH, { waitMs: 60_000 });
    if (length === 0) throw new Error(`no more than ${done} messages came`);
    done += length;
    each();
  }
}

async function pass(queue: Bytes, messages: number, role: string): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  const every = Math.max(1, Math.floor(messages / BATCH / SAMPLES));
  let calls = 0;
  const each = (): void => {
    calls += 1;
    if (calls % every === 0) samples.push(sample());
  };
  await (role === 'produce' ? produce(queue, messages, each) : consume(queue, messages, each));
  return samples;
}

/** What the heap has grown by where nothing was collected meanwhile: everything that was allocated. */
async function allocated(name: string, messages: number, work: () => Promise<unknown>): Promise<Allocation> {
  await work();
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  await work();
  return { name, bytes: (process.memoryUsage().heapUsed - before) / messages };
}

async function allocations(queue: Bytes): Promise<Allocation[]> {
  const [one = new Uint8Array()] = batch;
  const singly = 5000;
  const times = async (count: number, call: () => Promise<unknown>): Promise<void> => {
    for (let at = 0; at < count; at++) await call();
  };
  const many = singly * 2;
  return [
    await allocated('enqueue', singly, () => times(singly, () => queue.enqueue(one))),
    await allocated('dequeue', singly, () => times(singly, () => queue.dequeue())),
    await allocated('enqueueMany by 100', many, () => times(many / BATCH, () => queue.enqueueMany(batch))),
    await allocated('dequeueMany by 100', many, () => times(many / BATCH, () => queue.dequeueMany(BATCH))),
    await allocated('enqueue, claim and ack', singly, () =>
      times(singly, async () => {
        await queue.enqueue(one);
        await (await queue.claim())?.ack();
      }),
    ),
  ];
}

async function main([directory = '', messages = '', role = '']: readonly string[]): Promise<void> {
  const queue = await openQueue<Uint8Array>({
    directory,
    locking: 'os',
    durability: 'written',
    codec: 'bytes',
    maxFiles: 10_000,
  });
  const told = role === 'allocate' ? await allocations(queue) : await pass(queue, Number(messages), role);
  await queue.close();
  process.send?.(told);
}

if (process.send !== undefined) await main(process.argv.slice(2));
