import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { memoryWorld, type World } from '../store/world.js';

const OPTIONS = { maxFileSize: 64 * 1024, durability: 'written' } as const;
const ARCHIVE = 'duro.ids.1';

/** A store whose first segment is gone, with so many ids in its archive. */
async function archived(world: World, count: number): Promise<void> {
  const queue = await world.openQueue<number>(OPTIONS);
  for (let id = 1; id <= count; id++) await queue.enqueue(id, { id: `${id} ${'x'.repeat(500)}` });
  while ((await queue.stats()).files < 4) await queue.enqueue(0);
  await queue.flush();
  await queue.close();
}

t.test('an archive of ids that is whole is nothing to tell of', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  await archived(world, 10);
  t.same(world.files(/ids/), [ARCHIVE]);
  t.same((await verifyOn(machine.opener(), { directory: world.directory })).findings, []);
});

for (const [name, position, kept] of [
  ['its only frame', 100, 0],
  ['its header', 9, 0],
] as const) {
  t.test(`${name} is damaged: it is told, and mended`, async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    await archived(world, 10);
    world.flip(ARCHIVE, position);
    const before = world.bytes(ARCHIVE);
    const found = await verifyOn(machine.opener(), { directory: world.directory });
    t.equal(found.ok, false);
    t.match(found.findings, [
      { file: `/store/${ARCHIVE}`, severity: 'damage', what: /stored again/, repaired: false },
    ]);
    t.same(world.bytes(ARCHIVE), before, 'nothing was changed');
    const mended = await repairOn(machine.opener(), { directory: world.directory });
    t.equal(mended.ok, true);
    t.match(mended.findings[0], { severity: 'damage', repaired: true });
    t.same(machine.bytes(`/store/duro.repair.1/${ARCHIVE}.0`), before, 'it was set aside');
    t.equal((await verifyOn(machine.opener(), { directory: world.directory })).ok, true);
    const queue = await world.openQueue<number>(OPTIONS);
    t.equal(await queue.length(), kept);
    t.ok(await queue.enqueue(1, { id: `1 ${'x'.repeat(500)}` }), 'ids can be used again');
  });
}
