import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { memoryWorld } from '../store/world.js';

const ENTRIES = '/store/duro_00000000000000000001.idx';
const CUT = { writes: 'lose', names: 'keep' } as const;
const OPTIONS = { durability: 'written', syncIntervalMs: 2 ** 31 - 1, indexer: false } as const;

t.test(
  'an entry of a record that a power cut took never speaks for the next record of its index',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const queue = await world.openQueue<string>(OPTIONS);
    await queue.enqueue('first', { durability: 'synced' });
    await queue.enqueue('only written', { delayMs: 1e9 });
    // The system writes back the entries, and not the records.
    const file = machine.opener().open(ENTRIES, 'write');
    await file?.sync();
    file?.close();
    machine.powerCut(CUT);
    const later = await world.openQueue<string>(OPTIONS);
    t.same(await later.peekMany(9), ['first']);
    t.equal(
      await later.enqueue('urgent', { priority: 1, durability: 'synced' }),
      2,
      'the index is given again',
    );
    machine.powerCut(CUT);
    const last = await world.openQueue<string>(OPTIONS);
    t.same(await last.peekMany(9), ['urgent', 'first']);
    t.equal((await last.stats()).delayed, 0);
  },
);
