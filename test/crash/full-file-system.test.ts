import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { osDisk } from '../../src/disk/os.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { checkDirectory } from '../support/consistency.js';
import { smallFileSystem, whyNoSmallFileSystem } from '../support/small-file-system.js';
import { until } from '../support/until.js';

/** What `full-disk` does in memory, on a file system of the operating system's. */
const MIB = 1024 * 1024;
const skip = whyNoSmallFileSystem() ?? false;

const value = (index: number): Uint8Array => new Uint8Array(1000).fill(index % 251);

const freeBytes = (directory: string): number => {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
};

const isDiskFull = (error: unknown): boolean => (error as { code?: unknown }).code === 'DISK_FULL';

/** Takes what is left; returns the path of what took it. */
function takeTheRest(directory: string): string {
  const path = join(directory, 'ballast');
  const fd = openSync(path, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
  return path;
}

async function open(
  t: Test,
  directory: string,
  durability: 'written' | 'synced',
): Promise<Queue<Uint8Array>> {
  const queue = await openQueueOn<Uint8Array>(osDisk, {
    directory,
    codec: 'bytes',
    durability,
    maxFileSize: 256 * 1024,
  });
  t.teardown(() => queue.close());
  return queue;
}

/** Enqueues until the disk is full; returns the last index. */
async function fill(queue: Queue<Uint8Array>): Promise<number> {
  for (let index = await queue.store.nextIndex(); ; index++) {
    try {
      await queue.enqueue(value(index));
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      return index - 1;
    }
  }
}

async function wrong(queue: Queue<Uint8Array>, from: number, to: number): Promise<number[]> {
  const found: number[] = [];
  for (let index = from; index <= to; index++) {
    const data = await queue.store.read(index);
    if (data === undefined || Buffer.compare(data, value(index)) !== 0) found.push(index);
  }
  return found;
}

for (const durability of ['written', 'synced'] as const) {
  t.test(
    `a full file system of 3 MiB can be emptied, and filled again: ${durability}`,
    { skip },
    async (t) => {
      const mounted = await smallFileSystem(t, 3 * MIB);
      const directory = join(mounted, 'q');
      let queue = await open(t, directory, durability);
      const count = await fill(queue);
      t.ok(count > 2000, `${count} messages of 1,000 bytes fit`);
      await t.rejects(queue.enqueueMany(Array.from({ length: 100 }, (_, at) => value(at))), {
        code: 'DISK_FULL',
      });
      t.equal(await queue.store.nextIndex(), count + 1, 'a batch that did not fit leaves nothing');
      t.equal(await queue.length(), count);
      t.same(await wrong(queue, 1, count), []);

      const half = Math.floor(count / 2);
      await queue.store.delete(Array.from({ length: half }, (_, at) => at + 1));
      await until('half of the room to come back', () => freeBytes(mounted) > MIB);
      t.same(await queue.enqueueMany([value(count + 1), value(count + 2)]), [count + 1, count + 2]);
      const again = await fill(queue);
      t.ok(again > count + half / 2, `${again - count} more fit`);
      await queue.close();

      queue = await open(t, directory, durability);
      t.equal(await queue.length(), again - half, 'opened again on the full file system');
      t.same(await wrong(queue, half + 1, again), []);
      await queue.close();
      t.same(checkDirectory(mounted), []);
    },
  );

  t.test(`with not one byte free everything can be taken out: ${durability}`, { skip }, async (t) => {
    const mounted = await smallFileSystem(t, 3 * MIB);
    const directory = join(mounted, 'q');
    let queue = await open(t, directory, durability);
    const count = await fill(queue);
    await queue.close();
    const ballast = takeTheRest(mounted);
    t.equal(freeBytes(mounted), 0);

    queue = await open(t, directory, durability);
    t.equal(await queue.length(), count);
    // In the worst order for the journal: each acknowledgement a fact of its own, none next to the one before.
    const deliveries = await queue.claimMany(count);
    t.equal(deliveries.length, count);
    for (const delivery of deliveries) if (delivery.index % 2 === 1) await delivery.ack();
    for (const delivery of deliveries) if (delivery.index % 4 === 0) await delivery.nack();
    t.ok(freeBytes(mounted) <= 64 * 1024, 'no segment went, only what a journal had outgrown');
    await t.rejects(queue.enqueueMany(Array.from({ length: 200 }, (_, at) => value(at))), {
      code: 'DISK_FULL',
    });
    await queue.close();

    queue = await open(t, directory, durability);
    const left = Math.floor(count / 2);
    t.equal(await queue.length(), left);
    const first = await queue.dequeueMany(left - 20);
    t.same(
      first.map((data) => data[0]),
      Array.from({ length: left - 20 }, (_, at) => (2 * (at + 1)) % 251),
    );
    await until('emptied segments to go', () => freeBytes(mounted) > MIB);
    t.equal(await queue.store.delete([2 * left, 2 * left - 2]), 2);
    t.same(await queue.enqueueMany([value(count + 1), value(count + 2)]), [count + 1, count + 2]);
    t.equal(await queue.length(), 20);
    await queue.close();
    rmSync(ballast);
    t.same(checkDirectory(mounted), []);
  });
}

t.test('a store that cannot be born for lack of room is born when there is some', { skip }, async (t) => {
  const mounted = await smallFileSystem(t, MIB);
  const directory = join(mounted, 'q');
  const ballast = takeTheRest(mounted);
  await t.rejects(open(t, directory, 'synced'), { code: 'DISK_FULL' });
  rmSync(ballast);
  const queue = await open(t, directory, 'synced');
  t.equal(await queue.enqueue(value(1)), 1);
  await queue.close();
  t.same(checkDirectory(mounted), []);
});
