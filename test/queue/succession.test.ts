import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, type Operation, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { range } from '../store/records.js';
import { memoryWorld } from '../store/world.js';

/** A successor is due every few decisions. */
const SHORT: JournalLimits = {
  reserveBytes: 1024,
  leastReserveBytes: 256,
  leastGainBytes: 64,
  shortenFromBytes: 400,
  shortenFactor: 2,
};

for (const path of [/shorten\.lock$/, /fate\.2$/]) {
  t.test(`what was dequeued is given out, though ${path} cannot be opened`, async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const queue = await openQueueOn<number>(machine.opener(), { directory: world.directory }, SHORT);
    t.teardown(() => queue.close());
    await queue.enqueueMany(range(1, 60));
    let refused = 0;
    const fault = inject({ error: 'EMFILE' }, onKind('open', 'create'), onPath(path));
    machine.onOperation = (operation: Operation) => {
      const refusal = fault(operation);
      if (refusal !== undefined) refused += 1;
      return refusal;
    };
    for (const n of range(1, 40)) t.equal(await queue.dequeue(), n);
    t.ok(refused > 0, `${refused} times refused`);
    t.same(world.files(/fate\.\d+$|suspect/).includes('duro.suspect'), false, 'no sync has failed');
    machine.onOperation = undefined;
    for (const n of range(41, 60)) t.equal(await queue.dequeue(), n);
    t.equal(await queue.dequeue(), undefined);
    t.equal(world.files(/fate\.1$/).length, 0, 'it is succeeded when it can be');
  });
}

t.test('a succession mark that cannot be synced by a reader is a failed sync for everybody', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const writer = await openQueueOn<number>(machine.opener(), { directory: world.directory }, SHORT);
  const opener = machine.opener('reader');
  const reader = await openQueueOn<number>(opener, { directory: world.directory, indexer: false });
  await writer.enqueueMany(range(1, 40));
  t.equal(await reader.length(), 40);
  for (const n of range(1, 30)) t.equal(await writer.dequeue(), n);
  t.equal(world.files(/fate\.1$/).length, 0, 'there is a successor');
  machine.onOperation = inject({ error: 'EIO' }, onKind('sync'), onOpener('reader'), onPath(/fate\.1$/));
  await t.rejects(reader.read(40), { code: 'STORE_FAILED', message: /a sync failed/ });
  machine.onOperation = undefined;
  t.same(world.files(/suspect/), ['duro.suspect']);
  await t.rejects(reader.enqueue(41), { code: 'STORE_FAILED' });
  await t.rejects(writer.enqueue(41), { code: 'STORE_FAILED' });
  await reader.close();
  await writer.close();
  const next = await world.openQueue<number>();
  t.same(world.files(/suspect/), []);
  t.same(await next.flush(), range(31, 41), 'what could not be called synced is there: no power was lost');
});
