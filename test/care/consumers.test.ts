/** What verifying and repairing make of named consumers. */
import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { bytes } from '../store/records.js';
import { memoryWorld } from '../store/world.js';

t.test('where facts are damaged, consumers stay where the others say that they are', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const { directory } = world;
  const store = await world.openStore();
  await store.writeMany(['a', 'b', 'c', 'd', 'e'].map(bytes));
  const mail = await store.consumer('mail');
  await mail.commit(1);
  await mail.commit(2);
  await mail.commit(3);
  const audit = await store.consumer('audit', { from: 'next' });
  await audit.seek(4);
  await store.consumer('gone');
  await store.removeConsumer('gone');
  await store.close();
  t.ok((await verifyOn(machine.opener(), { directory })).ok);

  // The commit of 2, by its name and index.
  const fact = Buffer.from([31, 4, ...Buffer.from('mail'), 2, 0, 0, 0, 0, 0]);
  world.flip('duro.fate.1', world.bytes('duro.fate.1').indexOf(fact));
  await t.rejects(world.openStore(), { code: 'CORRUPT' });
  t.notOk((await verifyOn(machine.opener(), { directory })).ok);
  await repairOn(machine.opener(), { directory });
  t.ok((await verifyOn(machine.opener(), { directory })).ok);
  const mended = await world.openStore();
  t.same(
    (await mended.consumers()).map(({ name, committed }) => [name, committed]),
    [
      ['audit', 3],
      ['mail', 3],
    ],
  );
  t.equal((await (await mended.consumer('mail')).next())?.index, 4);
});
