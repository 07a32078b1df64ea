import { join } from 'node:path';
import { load } from '../packages.js';
import type { Opened, Place, Subject } from '../subject.js';
import type { BetterSqlite3, Database } from './better-sqlite3.js';

interface Job {
  readonly id: number;
  readonly data: string;
}

interface Queue {
  add(type: string, data: unknown): { id: number };
  addMany(type: string, data: readonly unknown[]): { ids: number[] };
  getJobById(id: number): Job | undefined;
  getAndMarkJobAsProcessing(type: string): { id: number } | undefined;
  markJobAsDone(id: number): void;
  close(): void;
}

interface Plainjob {
  better(database: Database): unknown;
  defineQueue(options: { connection: unknown; logger: object; serializer(data: unknown): string }): Queue;
}

const TYPE = 'job';
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/**
 * plainjob over better-sqlite3 as it sets that up (WAL, synchronous = NORMAL). Records are latin-1 text, serialised as they are. It has no
 * call that reads all jobs, so its table is read.
 */
export async function plainjob(): Promise<Subject> {
  const { better, defineQueue } = (await load('plainjob')) as Plainjob;
  const { default: Sqlite } = (await load('better-sqlite3')) as BetterSqlite3;
  new Sqlite(':memory:').close();
  const open = ({ directory }: Place): Opened => {
    const database = new Sqlite(join(directory, 'jobs.db'), { timeout: 60_000 });
    return opened(
      defineQueue({ connection: better(database), logger: silent, serializer: String }),
      database,
    );
  };
  return { name: 'plainjob', inProcess: true, open };
}

const textOf = (record: Uint8Array): string =>
  Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString('latin1');
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function opened(queue: Queue, database: Database): Opened {
  const all = database.prepare('SELECT data FROM plainjob_jobs ORDER BY id');
  const take = (): Uint8Array | undefined => {
    const marked = queue.getAndMarkJobAsProcessing(TYPE);
    if (marked === undefined) return undefined;
    const job = queue.getJobById(marked.id);
    queue.markJobAsDone(marked.id);
    return job === undefined ? undefined : bytesOf(job.data);
  };
  return {
    put: (record) => {
      queue.add(TYPE, textOf(record));
    },
    putMany: (records) => {
      queue.addMany(TYPE, records.map(textOf));
    },
    scan() {
      let count = 0;
      for (const job of all.iterate()) count += (job as Job).data.length > 0 ? 1 : 0;
      return count;
    },
    read(index) {
      const job = queue.getJobById(index);
      return job === undefined ? undefined : bytesOf(job.data);
    },
    take,
    close: () => queue.close(),
  };
}
