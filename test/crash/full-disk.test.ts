import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { until } from '../support/until.js';

const MIB = 1024 * 1024;

const value = (index: number): Uint8Array => new Uint8Array(1000).fill(index % 251);

/** Enqueues until the disk is full; returns how many there are. */
async function fill(queue: Queue<Uint8Array>): Promise<number> {
  for (let index = (await queue.store.nextIndex()) - 1; ; ) {
    try {
      await queue.enqueue(value(index + 1));
      index += 1;
    } catch (error) {
      if ((error as { code?: string }).code !== 'DISK_FULL') throw error;
      return index;
    }
  }
}

for (const [durability, locking] of [
  ['written', 'os'],
  ['synced', 'os'],
  ['synced', 'lockfile'],
] as const) {
  t.test(`a full disk of 3 MiB can be emptied: ${durability}, ${locking}`, async (t) => {
    const machine = new MemoryDisk({ capacityBytes: 3 * MIB });
    const disk = machine.opener();
    const options = {
      directory: '/q',
      codec: 'bytes',
      durability,
      locking,
      maxFileSize: 256 * 1024,
    } as const;
    let queue = await openQueueOn<Uint8Array>(disk, options);
    const count = await fill(queue);
    t.ok(count > 2000, `${count} messages of 1,000 bytes fit`);
    await t.rejects(queue.enqueueMany([value(1), value(2), value(3)]), { code: 'DISK_FULL' });
    t.equal(await queue.store.nextIndex(), count + 1, 'a batch that did not fit leaves nothing');
    t.equal(await queue.length(), count);

    await queue.close();
    queue = await openQueueOn<Uint8Array>(disk, options);
    t.equal(await queue.length(), count, 'opened again on the full disk');
    for (let index = 1; index <= count; index++) {
      const data = await queue.store.read(index);
      if (data === undefined || Buffer.compare(data, value(index)) !== 0)
        t.fail(`message ${index} is another`);
    }

    // In the worst order for the journal: each acknowledgement a fact of its own, none next to the one before.
    const deliveries = await queue.claimMany(count);
    t.equal(deliveries.length, count);
    for (const delivery of deliveries) if (delivery.index % 2 === 1) await delivery.ack();
    const left = Math.floor(count / 2);
    t.equal((await queue.stats()).claimed, left, 'half of them acknowledged');
    await queue.close();

    queue = await openQueueOn<Uint8Array>(disk, options);
    t.equal(await queue.length(), left);
    const first = await queue.dequeueMany(left - 10);
    t.same(
      first.map((data) => data[0]),
      Array.from({ length: left - 10 }, (_, at) => (2 * (at + 1)) % 251),
    );
    // Segments go once the facts that empty them are on the device.
    await until('emptied segments to go', () => machine.usedBytes < 2 * MIB);
    const again = await queue.enqueueMany([value(7), value(8)]);
    t.same(again, [count + 1, count + 2], 'and writing goes on');
    t.equal(await queue.length(), 12);
    await queue.close();
    t.same(checkDirectoryOn(disk, '/q'), []);
  });
}

t.test('a full disk can be emptied, though somebody died with the lock', async (t) => {
  const machine = new MemoryDisk({ capacityBytes: 3 * MIB, deathTakesMs: 60_000 });
  const mortal = machine.opener();
  const options = { directory: '/q', codec: 'bytes', locking: 'lockfile', maxFileSize: 256 * 1024 } as const;
  const queue = await openQueueOn<Uint8Array>(mortal, options);
  const count = await fill(queue);
  const names = new FileNames('/q', 'duro');
  machine.onOperation = inject('die', onOpener(mortal.name), onKind('write'), onPath(/\.dat$/));
  queue.enqueue(value(1)).catch(() => {});
  await until('it to die', () => mortal.dead);
  machine.onOperation = undefined;
  t.ok(machine.bytes(names.spare()), 'there is a spare');
  // A lock, a fence and their names need no room to speak of, and a take-over does.
  machine.capacityBytes = machine.usedBytes + 10;
  const next = await openQueueOn<Uint8Array>(machine.opener(), options);
  t.ok(machine.bytes(names.takeover(1)), 'taken over');
  t.equal(await next.length(), count);
  t.equal((await next.dequeueMany(count)).length, count);
  await until('emptied segments to go', () => machine.usedBytes < MIB);
  t.equal(await next.enqueue(value(1)), count + 1, 'and writing goes on');
  await next.close();
  t.same(checkDirectoryOn(machine.opener(), '/q'), []);
});

t.test('where there is no room for a lock file, calls are DISK_FULL, until there is', async (t) => {
  const machine = new MemoryDisk();
  const options = { directory: '/q', codec: 'bytes', locking: 'lockfile' } as const;
  const queue = await openQueueOn<Uint8Array>(machine.opener(), options);
  await queue.enqueue(value(1));
  const probe = machine.opener();
  await until('the lock is given back', () => !probe.exists('/q/duro.directory.lock'));
  machine.onOperation = ({ kind }) => (kind === 'createDirectory' ? { error: 'ENOSPC' } : undefined);
  await t.rejects(queue.enqueue(value(2)), { name: 'DurostoreError', code: 'DISK_FULL' });
  await t.rejects(queue.dequeue(), { name: 'DurostoreError', code: 'DISK_FULL' });
  machine.onOperation = undefined;
  t.equal(await queue.enqueue(value(2)), 2);
  t.same(await queue.dequeue(), value(1));
  await queue.close();
});
