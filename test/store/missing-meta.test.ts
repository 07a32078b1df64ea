import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openStoreOn } from '../../src/store/store.js';

const options = { directory: '/store', indexer: false } as const;

t.test('where the meta was removed, no other is born, and nothing is touched', async (t) => {
  const machine = new MemoryDisk();
  const opener = machine.opener();
  const store = await openStoreOn(opener, options);
  await store.write(Buffer.from('one'));
  await store.close();
  const meta = machine.bytes('/store/duro.meta');
  if (meta === undefined) throw new Error('there is no meta');
  opener.unlink('/store/duro.meta');
  const before = machine.snapshot();
  await t.rejects(openStoreOn(machine.opener(), options), { code: 'CORRUPT', file: '/store/duro.meta' });
  t.same(machine.snapshot(), before);
  machine.put('/store/duro.meta', meta);
  const again = await openStoreOn(machine.opener(), options);
  t.same(await again.read(1), Buffer.from('one'), 'with it restored all is there');
  await again.close();
  const other = await openStoreOn(machine.opener(), { ...options, filePrefix: 'duro2' });
  await other.close();
});
