/**
 * Two decisions of the format, without the library: whether files are prepared ahead with zeros, and how many bytes an
 * index entry has.
 */
import { closeSync, fdatasync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cell, Contestant } from '../cell.js';
import { anyOrder, RECORD_BYTES } from '../loops.js';
import { HEAD_BYTES } from '../subjects/bare.js';
import { clocked } from '../timed.js';

const synced = promisify(fdatasync);
const KIB = 1024;
const FRAME_BYTES = RECORD_BYTES + HEAD_BYTES;
const SIZE = 'Microseconds an entry, by its size.';
const SIZES = [32, 24, 64];

/** What is done with a file, `count` times; the first of a cell is what the format has. */
function onFile(
  name: string,
  at: number,
  run: (file: number, count: number) => Promise<number>,
  fill?: (file: number, count: number) => void,
): Contestant {
  return {
    name,
    role: at === 0 ? 'ours' : 'variant',
    async turn(directory, count) {
      const file = openSync(join(directory, 'file'), 'w+');
      fill?.(file, count);
      const readings = await clocked(() => run(file, count), true);
      closeSync(file);
      return readings;
    },
  };
}

/** The zeros are written when they are needed, and reach the device with the commit over them, as in the library. */
function preparedBy(name: string, at: number, step: number, how: 'zeros' | 'truncation'): Contestant {
  return onFile(name, at, async (file, count) => {
    const frame = Buffer.alloc(FRAME_BYTES, 7);
    const zeros = Buffer.alloc(step);
    let end = 0;
    let reach = 0;
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
  });
}

function appended(size: number, at: number, batch: number): Contestant {
  return onFile(`${size} bytes`, at, async (file, count) => {
    const bytes = Buffer.alloc(size * batch, 7);
    for (let n = 0; n < count / batch; n++) writeSync(file, bytes, 0, bytes.length, n * bytes.length);
    return count;
  });
}

function readAnywhere(size: number, at: number): Contestant {
  const run = async (file: number, count: number): Promise<number> => {
    const into = Buffer.alloc(size);
    for (const index of anyOrder(count, count)) readSync(file, into, 0, size, (index - 1) * size);
    return count;
  };
  const fill = (file: number, count: number): void => {
    writeSync(file, Buffer.alloc(size * count, 7));
  };
  return onFile(`${size} bytes`, at, run, fill);
}

export function formatCells(): Cell[] {
  const measures = [{ key: 'each', name: '', unit: 'µs' }];
  const cell = (id: string, records: number, contestants: Contestant[], definition = ''): Cell => ({
    id: `format: ${id}`,
    name: 'plain files, without the library',
    group: 'format',
    ...(id.includes('entr') ? { column: { table: 'format: the size of an entry', head: id } } : {}),
    definition,
    records,
    measures,
    contestants,
  });
  return [
    cell(
      'space prepared ahead',
      2_000,
      [
        preparedBy('256 KiB of zeros', 0, 256 * KIB, 'zeros'),
        preparedBy('nothing', 1, 0, 'zeros'),
        preparedBy('64 KiB of zeros', 2, 64 * KIB, 'zeros'),
        preparedBy('1 MiB of zeros', 3, 1024 * KIB, 'zeros'),
        preparedBy('1 MiB by truncation', 4, 1024 * KIB, 'truncation'),
      ],
      'A record of 1 KiB appended, then `fdatasync`, by what the file is prepared with.',
    ),
    cell(
      'an entry appended alone',
      200_000,
      SIZES.map((size, at) => appended(size, at, 1)),
      SIZE,
    ),
    cell(
      '100 entries appended',
      2_000_000,
      SIZES.map((size, at) => appended(size, at, 100)),
      SIZE,
    ),
    cell('an entry read anywhere', 200_000, SIZES.map(readAnywhere), SIZE),
  ];
}
