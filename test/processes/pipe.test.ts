import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { Orders } from './child.js';
import type { ConsumerOrders } from './consumer-child.js';
import { readNotes } from './notes.js';
import type { ProducerOrders } from './producer-child.js';

const MANY = 20_000;
const NEVER = 1e9;
const DEADLINE_MS = 60_000;

const variants: readonly {
  readonly name: string;
  readonly options: Orders['options'];
  readonly batch: number;
  readonly how: 'dequeue' | 'claim';
  readonly items?: number;
}[] = [
  { name: 'written, singly', options: { durability: 'written' }, batch: 1, how: 'dequeue' },
  {
    name: 'written, singly, in small files',
    options: { durability: 'written', maxFileSize: 16 * 1024 },
    batch: 1,
    how: 'dequeue',
  },
  {
    name: 'written, claimed singly, in small files, the producer held back',
    options: { durability: 'written', maxFileSize: 16 * 1024, maxFiles: 4, whenFull: 'wait' },
    batch: 1,
    how: 'claim',
  },
  {
    name: 'synced, by 100, in small files',
    options: { durability: 'synced', maxFileSize: 64 * 1024 },
    batch: 100,
    how: 'dequeue',
  },
  {
    name: 'written, singly, in small files, with lock files',
    options: { durability: 'written', maxFileSize: 16 * 1024, locking: 'lockfile' },
    batch: 1,
    how: 'dequeue',
    items: 3000,
  },
  {
    name: 'synced, claimed by 10, with lock files',
    options: { durability: 'synced', maxFileSize: 16 * 1024, locking: 'lockfile' },
    batch: 10,
    how: 'claim',
    items: 500,
  },
];

for (const { name, options, batch, how, items: count = MANY } of variants) {
  t.test(`one producer, one consumer that drains as fast as it can: ${name}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const notes = await temporaryDirectory(t);
    const consumed: ConsumerOrders = {
      directory,
      options,
      notes: join(notes, 'consumer'),
      how,
      batch,
      leaseMs: 60_000,
      count,
      nackOneIn: NEVER,
      reopenEvery: NEVER,
    };
    const produced: ProducerOrders = {
      directory,
      options,
      name: 'item',
      notes: join(notes, 'producer'),
      batch,
      count,
      reopenEvery: NEVER,
    };
    const consumer = startProgram(t, 'test/processes/consumer-child.js', {
      args: [JSON.stringify(consumed)],
    });
    const producer = startProgram(t, 'test/processes/producer-child.js', {
      args: [JSON.stringify(produced)],
    });
    t.same(
      await producer.ended(DEADLINE_MS),
      { code: 0, signal: null },
      `the producer ended well ${producer.stderr}`,
    );
    t.same(
      await consumer.ended(DEADLINE_MS),
      { code: 0, signal: null },
      `the consumer ended well ${consumer.stderr}`,
    );

    const items = Array.from({ length: count }, (_, n) => `item-${n}`);
    const acknowledged = readNotes(produced.notes);
    t.strictSame(
      acknowledged.map(([index]) => Number(index)),
      items.map((_, n) => n + 1),
      'indexes from 1 on without a gap',
    );
    const got = readNotes(consumed.notes).filter(([word]) => word === 'got');
    t.strictSame(
      got.map((words) => words[4]),
      items,
      'every item once, in order',
    );
    t.equal(
      readdirSync(directory).filter((file) => file.endsWith('.dat')).length,
      1,
      'the active file alone',
    );

    const queue = await openQueue<string>({ ...options, directory });
    const { length, firstIndex, nextIndex, files, lost, cuts } = await queue.stats();
    t.strictSame(
      { length, firstIndex, nextIndex, files, lost, cuts },
      { length: 0, firstIndex: count + 1, nextIndex: count + 1, files: 1, lost: 0, cuts: 0 },
    );
    await queue.close();
  });
}
