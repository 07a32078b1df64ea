import type { Cell, Contestant } from '../cell.js';
import { start } from '../child.js';
import type { Passage } from '../programs/passage.js';

/** What counts as flat: heap after a collection differs that much by itself. */
const FLAT_MIB = 1;

function passing(name: string, role: Contestant['role'], messages: number): Contestant {
  return {
    name,
    role,
    async turn(directory) {
      const args = [name, directory, String(messages)];
      const child = start('programs/passage.js', args, ['--expose-gc']);
      const passage = await child.message<Passage>();
      await child.ended();
      return { ...passage, growth: passage['heapLate'] - passage['heapEarly'] };
    },
  };
}

export function memoryCell(full: boolean): Cell {
  const messages = full ? 10_000_000 : 1_000_000;
  return {
    id: 'memory',
    name: `${messages / 1_000_000} M messages pass through`,
    group: 'footprint',
    definition:
      'Messages of 1,024 bytes, enqueued and dequeued by 100, in a process of its own. Heap after a collection; resident memory at most.',
    records: messages,
    fixed: true,
    measures: [
      {
        key: 'growth',
        name: 'heap after all over heap after a tenth',
        unit: 'MiB',
        targets: [{ of: 'durostore', atMost: FLAT_MIB }],
      },
      { key: 'heapLate', name: 'heap at the end', unit: 'MiB' },
      { key: 'residentEarly', name: 'resident, first tenth', unit: 'MiB' },
      { key: 'residentLate', name: 'resident, after it', unit: 'MiB' },
    ],
    contestants: [passing('durostore', 'ours', messages), passing('raw', 'control', messages)],
  };
}
