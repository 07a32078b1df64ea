import { join } from 'node:path';
import { load } from '../packages.js';
import type { Opened, Place, Subject } from '../subject.js';

interface Database {
  put(key: number, value: Uint8Array): Promise<boolean>;
  putSync(key: number, value: Uint8Array, options?: { append: boolean }): void;
  removeSync(key: number): boolean;
  getBinary(key: number): Buffer | undefined;
  getRange(range: {
    start?: number;
    limit?: number;
    reverse?: boolean;
  }): Iterable<{ key: number; value: Buffer }>;
  getKeys(range: { limit: number; reverse: boolean }): Iterable<number>;
  transactionSync<T>(work: () => T): T;
  close(): Promise<void>;
}

const OPTIONS = {
  encoding: 'binary',
  keyEncoding: 'uint32',
  mapSize: 4 * 1024 * 1024 * 1024,
  // Else a commit would be answered before it is on the device.
  overlappingSync: false,
} as const;

interface Lmdb {
  open(options: typeof OPTIONS & { path: string; noSync: boolean; useWritemap: boolean }): Database;
}

/**
 * lmdb as a queue: ascending numbers as keys, a batch is a transaction, the oldest is the first of a range. New keys are
 * the last ones, which it is told (`append`). Under `written` nothing is synced; under `synced` each commit is.
 */
export const lmdb = (): Promise<Subject> => subject('lmdb', false);

/** With its map writable, which its documentation calls faster, and warns that a stray pointer may corrupt the data. */
export const lmdbWriteMap = (): Promise<Subject> => subject('lmdb, write map', true);

async function subject(name: string, useWritemap: boolean): Promise<Subject> {
  const { open } = (await load('lmdb')) as Lmdb;
  const opened = ({ directory, durability, shared = false }: Place): Opened => {
    const noSync = durability === 'written';
    const path = join(directory, 'lmdb');
    return queueOf(open({ ...OPTIONS, path, noSync, useWritemap }), shared);
  };
  return { name, inProcess: true, aside: useWritemap, open: opened };
}

function queueOf(database: Database, shared: boolean): Opened {
  const append = { append: true };
  let last: number | undefined;
  /** The key of the next record; where others put theirs, each transaction looks. */
  const next = (): number => {
    if (last !== undefined && !shared) return ++last;
    for (const key of database.getKeys({ reverse: true, limit: 1 })) last = key;
    last = (last ?? 0) + 1;
    return last;
  };
  const putMany = (records: readonly Uint8Array[]): void =>
    database.transactionSync(() => {
      for (const record of records) database.putSync(next(), record, append);
    });
  const takeMany = (max: number): Uint8Array[] =>
    database.transactionSync(() => {
      const taken = [...database.getRange({ limit: max })];
      for (const { key } of taken) database.removeSync(key);
      return taken.map(({ value }) => value);
    });
  return {
    put(record) {
      if (shared) putMany([record]);
      else database.putSync(next(), record, append);
    },
    putMany,
    putTogether: (records) => Promise.all(records.map((record) => database.put(next(), record))),
    scan() {
      let count = 0;
      for (const { value } of database.getRange({})) count += value.length > 0 ? 1 : 0;
      return count;
    },
    read: (index) => database.getBinary(index),
    take: () => takeMany(1)[0],
    takeMany,
    close: () => database.close(),
  };
}
