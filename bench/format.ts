/**
 * Raw measurements behind two decisions of the format, without the library: whether files are prepared ahead with zeros,
 * and how many bytes an index entry has. `npm run bench` shows them last.
 */
import { closeSync, fdatasync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FRAME_BYTES } from './bare.js';
import type { Contestant } from './measure.js';
import { anyOrder } from './order.js';

const synced = promisify(fdatasync);
const KIB = 1024;

/** Contestants beside each other: the first is what the format has. */
export interface Comparison {
  readonly name: string;
  readonly contestants: readonly Contestant[];
}

export function comparisons(scale: number): Comparison[] {
  const syncs = Math.max(100, Math.round(2_000 * scale));
  const writes = Math.max(1_000, Math.round(200_000 * scale));
  const sizes = [32, 24, 64];
  return [
    {
      name: 'append of a 1 KiB record, then fdatasync; the file prepared ahead by',
      contestants: [
        preparedBy('256 KiB of zeros', 256 * KIB, 'zeros', syncs),
        preparedBy('nothing', 0, 'zeros', syncs),
        preparedBy('64 KiB of zeros', 64 * KIB, 'zeros', syncs),
        preparedBy('1 MiB of zeros', 1024 * KIB, 'zeros', syncs),
        preparedBy('1 MiB by truncation', 1024 * KIB, 'truncation', syncs),
      ],
    },
    {
      name: 'append of an entry alone, of',
      contestants: sizes.map((size) => entries(`${size} bytes`, size, 1, writes)),
    },
    {
      name: 'append of 100 entries, each of',
      contestants: sizes.map((size) => entries(`${size} bytes`, size, 100, 10 * writes)),
    },
    {
      name: 'read of an entry anywhere, of',
      contestants: sizes.map((size) => entryReads(`${size} bytes`, size, writes)),
    },
  ];
}

/** The zeros are written when they are needed, and reach the device with the commit over them, as in the library. */
function preparedBy(name: string, step: number, how: 'zeros' | 'truncation', count: number): Contestant {
  return {
    name,
    prepare(directory) {
      const file = openSync(join(directory, 'dat'), 'w+');
      const frame = Buffer.alloc(FRAME_BYTES, 7);
      const zeros = Buffer.alloc(step);
      let end = 0;
      let reach = 0;
      return {
        async run() {
          for (let n = 0; n < count; n++) {
            if (step > 0 && end + frame.length > reach) {
              reach = end + frame.length + step;
              if (how === 'zeros') writeSync(file, zeros, 0, step, end + frame.length);
              else ftruncateSync(file, reach);
            }
            writeSync(file, frame, 0, frame.length, end);
            end += frame.length;
            await synced(file);
          }
          return count;
        },
        close: () => closeSync(file),
      };
    },
  };
}

function entries(name: string, size: number, batch: number, count: number): Contestant {
  return {
    name,
    prepare(directory) {
      const file = openSync(join(directory, 'idx'), 'w+');
      const bytes = Buffer.alloc(size * batch, 7);
      return {
        run() {
          for (let n = 0; n < count / batch; n++) writeSync(file, bytes, 0, bytes.length, n * bytes.length);
          return count;
        },
        close: () => closeSync(file),
      };
    },
  };
}

function entryReads(name: string, size: number, count: number): Contestant {
  return {
    name,
    prepare(directory) {
      const file = openSync(join(directory, 'idx'), 'w+');
      const all = Buffer.alloc(size * count, 7);
      writeSync(file, all, 0, all.length, 0);
      const into = Buffer.alloc(size);
      const order = anyOrder(count, count);
      return {
        run() {
          for (const index of order) readSync(file, into, 0, size, (index - 1) * size);
          return count;
        },
        close: () => closeSync(file),
      };
    },
  };
}
