import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onPath } from '../../src/disk/memory-fault.js';
import { bytes, contents } from '../store/records.js';
import { memoryWorld } from '../store/world.js';

const FILE = 'duro_00000000000000000001.dat';

t.test('what recovery cuts away is on the device elsewhere before it is cut', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ durability: 'written' });
  await store.write(bytes('kept'));
  await store.close();
  const whole = world.bytes(FILE);
  const torn = Buffer.from('the beginning of a frame whose writer has died');
  world.put(FILE, Buffer.concat([whole, torn]));
  machine.onOperation = inject('die-after', onKind('truncate'), onPath(/\.dat$/));
  await t.rejects(world.openStore(), { cause: { name: 'ProcessDied' } });
  machine.onOperation = undefined;
  machine.powerCut({ writes: 'lose', names: 'keep' });
  const [side, ...others] = world.files(/\.cut\./);
  t.same(others, []);
  t.same(world.bytes(side ?? ''), torn);
  t.same(await contents(await world.openStore()), [[1, 'kept']]);
});
