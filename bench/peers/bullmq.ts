import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { load } from '../packages.js';
import type { Opened, Place, Subject } from '../subject.js';
import { programOf, startServer } from './server.js';

interface Job {
  readonly data: { readonly r: string };
}

interface Queue {
  add(name: string, data: Job['data']): Promise<unknown>;
  addBulk(jobs: readonly { name: string; data: Job['data'] }[]): Promise<unknown>;
  getJob(id: string): Promise<Job | undefined>;
  close(): Promise<void>;
}

interface Worker {
  run(): Promise<void>;
  close(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
}

interface Bullmq {
  Queue: new (name: string, options: object) => Queue;
  Worker: new (name: string, processor: (job: Job) => Promise<void>, options: object) => Worker;
}

const NAME = 'bench';
/** How many handlers a worker runs at a time where records are taken by the hundred. */
const CONCURRENCY = 100;

/**
 * BullMQ with a Redis of its own on a unix socket, which syncs its append-only file every second under `written` and
 * always under `synced`. Batches are `addBulk`; records are taken by a Worker with a concurrency of 1 or 100, which is
 * BullMQ's own way and faster than asking for each job; completed jobs are removed.
 */
export async function bullmq(): Promise<Subject> {
  const { Queue, Worker } = (await load('bullmq')) as Bullmq;
  await load('ioredis');
  const program = programOf('redis-server');
  if (program === undefined)
    throw new Error('redis-server is not installed (Debian: apt-get install redis-server)');
  const socketOf = (directory: string): string => join(directory, 'redis');
  return {
    name: 'BullMQ',
    inProcess: false,
    serve: ({ directory, durability }) =>
      startServer(
        program,
        [
          ...['--port', '0', '--unixsocket', socketOf(directory), '--dir', directory, '--save', ''],
          ...['--appendonly', 'yes', '--appendfsync', durability === 'synced' ? 'always' : 'everysec'],
        ],
        { path: socketOf(directory) },
      ),
    open: ({ directory }: Place) => {
      const connection = { path: socketOf(directory), maxRetriesPerRequest: null };
      const defaultJobOptions = { removeOnComplete: true };
      const queue = new Queue(NAME, { connection, defaultJobOptions });
      return opened(queue, (processor, concurrency) => {
        const worker = new Worker(NAME, processor, { connection, concurrency, autorun: false });
        worker.on('error', () => {});
        return worker;
      });
    },
  };
}

export const redisVersion = (): string =>
  /v=(\S+)/.exec(
    execFileSync(programOf('redis-server') ?? 'redis-server', ['--version'], { encoding: 'utf8' }),
  )?.[1] ?? '?';

const jobOf = (record: Uint8Array): Job['data'] => ({
  r: Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString('latin1'),
});

type NewWorker = (processor: (job: Job) => Promise<void>, concurrency: number) => Worker;

function opened(queue: Queue, newWorker: NewWorker): Opened {
  const follow: NonNullable<Opened['follow']> = async (by, count, had, ready) => {
    let left = count;
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const worker = newWorker(
      async ({ data }) => {
        had(Buffer.from(data.r, 'latin1'));
        left -= 1;
        if (left === 0) finish();
      },
      by === 1 ? 1 : CONCURRENCY,
    );
    await worker.waitUntilReady();
    ready();
    const running = worker.run();
    await finished;
    await worker.close();
    await running;
  };
  return {
    put: (record) => queue.add(NAME, jobOf(record)),
    putMany: (records) => queue.addBulk(records.map((record) => ({ name: NAME, data: jobOf(record) }))),
    putTogether: (records) => Promise.all(records.map((record) => queue.add(NAME, jobOf(record)))),
    async read(index) {
      const job = await queue.getJob(String(index));
      return job === undefined ? undefined : Buffer.from(job.data.r, 'latin1');
    },
    async drain(by, count) {
      let taken = 0;
      await follow(
        by,
        count,
        () => (taken += 1),
        () => {},
      );
      return taken;
    },
    follow,
    close: () => queue.close(),
  };
}
