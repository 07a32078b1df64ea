import { reversed } from '../store/reversed.js';
import { type Actor, nextTurn, type Options, SHORT_JOURNALS } from './actor.js';

/** What a process does. Short: a crash is tried at each of its operations. */
export interface Program {
  readonly name: string;
  readonly options: Options;
  run(actor: Actor): Promise<void>;
}

/** What a program that drops the oldest keeps. */
export const keptBy = ({ whenFull, maxFiles }: Options): number | undefined =>
  whenFull === 'drop-oldest' ? maxFiles : undefined;

const inOneMode: readonly Program[] = [
  {
    name: 'records, synced',
    options: { maxFileSize: 4096 },
    async run(actor) {
      await actor.open();
      await actor.write();
      await actor.write(700);
      await actor.writeMany([10, 600, 30]);
      await actor.delete(1);
      await actor.write();
      await actor.deleteFirst();
      await actor.read();
      await actor.close();
      await actor.open();
      await actor.writeMany([10, 20]);
      await actor.close();
    },
  },
  {
    name: 'records, written, synced now and then',
    options: { durability: 'written', maxFileSize: 4096 },
    async run(actor) {
      await actor.open();
      await actor.write();
      await actor.writeMany([300, 300, 300]);
      await actor.sync();
      await actor.delete(0, 2);
      await actor.write();
      await actor.write(900, 'synced');
      await actor.deleteFirst();
      await actor.writeMany([10, 10]);
      await actor.close();
      await actor.open();
      await actor.write();
    },
  },
  {
    name: 'rolling, and segments that go',
    options: { maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 3; at++) await actor.write(60);
      await actor.writeMany([20, 20]);
      await actor.delete(0, 1);
      await actor.write(100);
      await actor.delete(0);
      await actor.close();
      await actor.open();
      await actor.dequeueMany(2);
      await actor.writeMany([40, 40]);
      await actor.close();
    },
  },
  {
    name: 'rolling, written',
    options: { maxFileSize: 320, durability: 'written' },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 4; at++) await actor.write(60);
      await actor.dequeue();
      await actor.write(60, 'synced');
      await actor.writeMany([30, 30, 30]);
      await actor.dequeueMany(3);
      await actor.write(60);
      await actor.sync();
      await actor.write(60);
    },
  },
  {
    name: 'streams, the first of all and others',
    options: { maxFileSize: 512 },
    async run(actor) {
      await actor.open();
      await actor.writeStream(600);
      await actor.write();
      await actor.writeStream(700, 'written');
      await actor.delete(0);
      await actor.writeStream(500);
      await actor.close();
    },
  },
  {
    name: 'a stream through a transform, piece by piece',
    options: { maxFileSize: 512, transforms: [reversed()] },
    async run(actor) {
      await actor.open();
      await actor.writeStream(1300);
    },
  },
  {
    name: 'messages, claimed and dequeued',
    options: { maxFileSize: 4096 },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20, 20]);
      await actor.dequeue();
      await actor.claim();
      await actor.claim();
      await actor.ack();
      await actor.nack();
      await actor.claim();
      await actor.extend();
      await actor.dequeue();
      await actor.ack();
      await actor.claim();
      await actor.close();
      await actor.open();
      await actor.dequeue();
    },
  },
  {
    name: 'many calls at once',
    options: { maxFileSize: 512 },
    async run(actor) {
      await actor.open();
      await Promise.all([actor.write(), actor.write(50, 'written'), actor.writeMany([60, 60])]);
      await Promise.all([actor.dequeue(), actor.write(120), actor.claim(), actor.write(90, 'written')]);
      await Promise.all([actor.ack(), actor.dequeue(), actor.write(70)]);
      await actor.close();
    },
  },
  {
    name: 'drop-oldest, one file, claims held',
    options: { maxFileSize: 320, maxFiles: 1, whenFull: 'drop-oldest' },
    async run(actor) {
      await actor.open();
      await actor.writeMany([30, 30]);
      await actor.claim();
      await actor.claim();
      await actor.writeMany([40, 40]);
      await actor.ack();
      await actor.extend();
      await actor.write(60);
      await actor.nack();
      await actor.dequeue();
      await actor.close();
      await actor.open();
      await actor.writeMany([50, 50]);
      await actor.write(50);
    },
  },
  {
    name: 'drop-oldest, two files, written',
    options: { maxFileSize: 320, maxFiles: 2, whenFull: 'drop-oldest', durability: 'written' },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 5; at++) await actor.write(60);
      await actor.claim();
      await actor.delete(1);
      await actor.writeMany([60, 60]);
      await actor.write(60, 'synced');
      await actor.ack();
      await actor.claim();
      await actor.writeMany([60, 60]);
      await actor.sync();
      await actor.nack();
      await actor.dequeue();
      await actor.write(60);
    },
  },
  {
    name: 'waiting for room',
    options: { maxFileSize: 320, maxFiles: 2, whenFull: 'wait' },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 4; at++) await actor.write(60);
      await actor.writeWaiting(70, () => actor.dequeueMany(3));
      await actor.writeWaiting(60, async () => {});
      await actor.writeWaiting(80, async () => {
        await actor.claim();
        await actor.claim();
        await actor.ack();
        await actor.ack();
      });
      await actor.close();
    },
  },
  {
    name: 'written in slices',
    options: { maxFileSize: 2048, slices: { writeBytes: 100 } },
    async run(actor) {
      await actor.open();
      await actor.write(350);
      await Promise.all([actor.write(20), actor.writeMany([10, 300, 30]), actor.write(20)]);
      await actor.delete(1);
      await actor.writeMany([90, 90, 90], 'written');
      await actor.write(450);
      await Promise.all([actor.enqueueMany([200, 200]), actor.dequeue(), actor.dequeue()]);
      await actor.close();
      await actor.open();
      await actor.enqueue(150);
      actor.die();
      await actor.open();
      await actor.writeMany([150, 10]);
    },
  },
  {
    name: 'pruned',
    options: { maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 5; at++) await actor.write(60);
      await actor.claim();
      await actor.claim();
      await actor.prune(1);
      await actor.writeMany([60, 60]);
      await actor.ack();
      await actor.nack();
      await actor.prune(3);
      await actor.close();
      await actor.open();
      await actor.write();
      await actor.prune(100);
      await actor.write();
    },
  },
  {
    name: 'journals that are succeeded all the time',
    options: { maxFileSize: 512, limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20, 20, 20]);
      await actor.claim();
      await actor.claim();
      await actor.dequeue();
      await actor.ack();
      await actor.delete(1);
      await actor.nack();
      await actor.write();
      await actor.dequeue();
      await actor.close();
      await actor.open();
      await actor.claim();
      await actor.dequeueMany(2);
      await actor.write();
      await actor.ack();
      await actor.write();
    },
  },
  {
    name: 'journals that are succeeded all the time, written',
    options: { maxFileSize: 512, durability: 'written', limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20, 20, 20, 20]);
      await actor.dequeue();
      await actor.claim();
      await actor.delete(1, 3);
      await actor.write(20, 'synced');
      await actor.ack();
      await actor.dequeue();
      await actor.sync();
      await actor.claim();
      await actor.nack();
      await actor.dequeueMany(2);
      await actor.write();
      await actor.dequeue();
    },
  },
  {
    name: 'one dies after the other',
    options: { maxFileSize: 512 },
    async run(actor) {
      await actor.open();
      await actor.enqueueMany([20, 20, 20]);
      await actor.claim();
      actor.die();
      await actor.open();
      await actor.enqueue(60);
      await actor.dequeue();
      await actor.claim();
      await actor.enqueueMany([70, 70]);
      actor.die();
      await actor.open();
      await actor.dequeue();
      await actor.enqueue(30);
      actor.die();
      await actor.open();
      await actor.delete(0);
      await actor.claim();
      await actor.ack();
      await actor.close();
    },
  },
  {
    name: 'one dies after the other, written, journals that are succeeded all the time',
    options: { maxFileSize: 512, durability: 'written', limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.enqueueMany([20, 20, 20, 20]);
      await actor.dequeue();
      await actor.claim();
      actor.die();
      await actor.open();
      await actor.claim();
      await actor.enqueue(90);
      await actor.sync();
      await actor.nack();
      actor.die();
      await actor.open();
      await actor.enqueueMany([60, 60]);
      await actor.dequeueMany(2);
      await actor.enqueue(30, 'synced');
      actor.die();
      await actor.open();
      await actor.claim();
      await actor.ack();
      await actor.prune(1);
      await actor.enqueue(50);
    },
  },
  {
    name: 'named consumers',
    options: { maxFileSize: 512 },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20]);
      await actor.consume('one', 1);
      await actor.consume('other', 3);
      await actor.write(20);
      await actor.consume('one', 2);
      await actor.seek('other', 1);
      await actor.consume('other', 1);
      await Promise.all([actor.write(30), actor.consume('one', 1)]);
      await actor.removeConsumer('one');
      actor.die();
      await actor.open();
      await actor.consume('one', 2);
      await actor.delete(0);
      await actor.consume('other', 5);
      await actor.close();
    },
  },
  {
    name: 'named consumers, written, journals that are succeeded all the time',
    options: { maxFileSize: 512, durability: 'written', limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20]);
      await actor.consume('one', 2);
      await actor.consume('other', 1);
      await actor.write(20);
      await actor.consume('one', 2);
      await actor.sync();
      await actor.write(20);
      await actor.seek('one', 1);
      await actor.consume('other', 5);
      await actor.removeConsumer('one');
      await actor.write(20, 'synced');
      await actor.consume('one', 3);
      await actor.close();
      await actor.open();
      await actor.consume('other', 5);
    },
  },
  {
    name: 'what all named consumers are past goes',
    options: { maxFileSize: 320, retention: { consumed: true } },
    async run(actor) {
      await actor.open();
      await actor.writeMany([60, 60]);
      await actor.consume('slow', 1);
      for (let at = 0; at < 4; at++) {
        await actor.write(60);
        await actor.consume('fast', 2);
      }
      await actor.consume('slow', 2);
      await nextTurn();
      await actor.write(60);
      await actor.removeConsumer('slow');
      await nextTurn();
      await actor.consume('fast', 1);
      await actor.write(60);
      await actor.close();
    },
  },
  {
    name: 'transactions: synced',
    options: { maxFileSize: 4096 },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20]);
      await actor.transaction([30, 40], 1, 2);
      await actor.delete(0);
      await actor.transaction([30], 0);
      actor.die();
      await actor.open();
      await actor.transaction([20], 1);
      await actor.close();
    },
  },
  {
    name: 'transactions: written, with successions',
    options: { durability: 'written', maxFileSize: 4096, limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20, 20]);
      await actor.sync();
      await actor.transaction([30], 1, 2);
      await actor.claim();
      await actor.ack();
      await actor.write();
      await actor.transaction([30, 40], 0);
      await actor.sync();
      await actor.transaction([10], 0, 1);
      await actor.close();
      await actor.open();
      await actor.transaction([10], 0);
    },
  },
  {
    name: 'transactions: segments that go',
    options: { maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 3; at++) await actor.write(60);
      await actor.transaction([60], 0, 1);
      await actor.transaction([60], 0, 1);
      await actor.dequeue();
      await actor.write(60);
      await actor.close();
    },
  },
  {
    name: 'transactions: segments that go, written',
    options: { durability: 'written', maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 3; at++) await actor.write(60);
      await actor.sync();
      await actor.transaction([60], 0, 1);
      await actor.transaction([60], 0, 1);
      await actor.write(60);
      await actor.sync();
      await actor.transaction([60], 0);
    },
  },
];

/** With lock files, what is another's to clean up is more. */
const WITH_LOCK_FILES = new Set([
  'rolling, and segments that go',
  'many calls at once',
  'messages, claimed and dequeued',
  'transactions: written, with successions',
  'transactions: segments that go',
  'journals that are succeeded all the time, written',
  'one dies after the other',
  'named consumers',
  'one dies after the other, written, journals that are succeeded all the time',
]);

export const programs: readonly Program[] = [
  ...inOneMode,
  ...inOneMode
    .filter(({ name }) => WITH_LOCK_FILES.has(name))
    .map((program) => ({
      ...program,
      name: `${program.name}, lock files`,
      options: { ...program.options, locking: 'lockfile' as const },
    })),
];
