import { join } from 'node:path';
import { load } from '../packages.js';
import type { Durability, Opened, Place, Subject } from '../subject.js';

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

interface Lmdb {
  open(options: {
    path: string;
    encoding: 'binary';
    keyEncoding: 'uint32';
    noSync: boolean;
    overlappingSync: boolean;
    mapSize: number;
  }): Database;
}

const MAP_BYTES = 4 * 1024 * 1024 * 1024;

/**
 * lmdb as a queue: ascending numbers as keys, a batch is a transaction, the oldest is the first of a range. New keys are
 * the last ones, which it is told (`append`). Under `written` nothing is synced; under `synced` each commit is.
 */
export async function lmdb(): Promise<Subject> {
  const { open } = (await load('lmdb')) as Lmdb;
  const opened = ({ directory, durability }: Place): Opened =>
    queueOf(
      open({
        path: join(directory, 'lmdb'),
        encoding: 'binary',
        keyEncoding: 'uint32',
        mapSize: MAP_BYTES,
        ...syncing(durability),
      }),
    );
  return { name: 'lmdb', inProcess: true, open: opened };
}

const syncing = (durability: Durability): { noSync: boolean; overlappingSync: boolean } => ({
  noSync: durability === 'written',
  overlappingSync: false,
});

function queueOf(database: Database): Opened {
  const append = { append: true };
  /** The key of the next record; asked for inside the transaction, since others may have put theirs. */
  const next = (): number => {
    for (const key of database.getKeys({ reverse: true, limit: 1 })) return key + 1;
    return 1;
  };
  const putMany = (records: readonly Uint8Array[]): void =>
    database.transactionSync(() => {
      let key = next();
      for (const record of records) database.putSync(key++, record, append);
    });
  const takeMany = (max: number): Uint8Array[] =>
    database.transactionSync(() => {
      const taken = [...database.getRange({ limit: max })];
      for (const { key } of taken) database.removeSync(key);
      return taken.map(({ value }) => value);
    });
  let together = 0;
  return {
    put: (record) => putMany([record]),
    putMany,
    putTogether(records) {
      if (together === 0) together = next();
      return Promise.all(records.map((record) => database.put(together++, record)));
    },
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
