import { join } from 'node:path';
import { load } from '../packages.js';
import type { Opened, Place, Subject } from '../subject.js';

interface Statement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  iterate(...values: unknown[]): Iterable<unknown>;
}

export interface Database {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): Statement;
  transaction<A extends unknown[], R>(work: (...args: A) => R): { immediate(...args: A): R };
  close(): void;
}

export interface BetterSqlite3 {
  default: new (file: string, options?: { timeout: number }) => Database;
}

interface Row {
  readonly id: number;
  readonly data: Uint8Array;
}

/**
 * A table as a queue, in WAL mode: `synchronous` is off under `written` and full under `synced`, a batch is one
 * transaction.
 */
export async function betterSqlite3(): Promise<Subject> {
  const { default: Sqlite } = (await load('better-sqlite3')) as BetterSqlite3;
  const open = ({ directory, durability }: Place): Opened => {
    const database = new Sqlite(join(directory, 'queue.db'), { timeout: 60_000 });
    database.pragma('journal_mode = WAL');
    database.pragma(`synchronous = ${durability === 'synced' ? 'FULL' : 'OFF'}`);
    database.exec('CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, data BLOB NOT NULL)');
    return queueOf(database);
  };
  // Loading the package does not load its compiled part.
  new Sqlite(':memory:').close();
  return { name: 'better-sqlite3', inProcess: true, open };
}

function queueOf(database: Database): Opened {
  const insert = database.prepare('INSERT INTO queue (data) VALUES (?)');
  const all = database.prepare('SELECT data FROM queue ORDER BY id');
  const one = database.prepare('SELECT data FROM queue WHERE id = ?');
  const first = database.prepare('SELECT id, data FROM queue ORDER BY id LIMIT ?');
  const removeFirst = database.prepare(
    'DELETE FROM queue WHERE id = (SELECT id FROM queue ORDER BY id LIMIT 1) RETURNING data',
  );
  const removeUpTo = database.prepare('DELETE FROM queue WHERE id <= ?');
  const insertMany = database.transaction((records: readonly Uint8Array[]) => {
    for (const record of records) insert.run(record);
  });
  const takeMany = database.transaction((max: number): Uint8Array[] => {
    const rows = first.all(max) as Row[];
    const last = rows.at(-1);
    if (last !== undefined) removeUpTo.run(last.id);
    return rows.map(({ data }) => data);
  });
  return {
    put: (record) => {
      insert.run(record);
    },
    putMany: (records) => insertMany.immediate(records),
    scan() {
      let count = 0;
      for (const row of all.iterate()) count += (row as Row).data.length > 0 ? 1 : 0;
      return count;
    },
    read: (index) => (one.get(index) as Row | undefined)?.data,
    take: () => (removeFirst.get() as Row | undefined)?.data,
    takeMany: (max) => takeMany.immediate(max),
    close: () => database.close(),
  };
}
