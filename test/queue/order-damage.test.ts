/** What stands behind damage is found, whatever its frame says. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { memoryWorld } from '../store/world.js';

t.test('marked messages behind a damaged one are not taken for a torn end', async (t) => {
  for (const options of [{ priority: 1 }, { key: 'k' }, { delayMs: 1 }, {}]) {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const opener = machine.opener('doomed');
    const doomed = await openQueueOn<string>(opener, { directory: world.directory });
    for (const value of ['one', 'two', 'three', 'four']) await doomed.enqueue(value, options);
    opener.die();
    const name = world.files(/\.dat$/)[0] as string;
    world.flip(name, world.bytes(name).indexOf('"two"') + 1);
    // Entries are never synced.
    world.remove(world.files(/\.idx$/)[0] as string);
    const queue = await world.openQueue<string>();
    t.equal(await queue.store.nextIndex(), 5, JSON.stringify(options));
    t.same(await Promise.all([1, 3, 4].map((index) => queue.read(index))), ['one', 'three', 'four']);
    await t.rejects(queue.read(2), { code: 'CORRUPT' });
  }
});
