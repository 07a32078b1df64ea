import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openQueue } from '../../src/mod.js';
import { checkDirectory, checkTemporaryDirectory, damagedOnPurpose } from './consistency.js';
import { temporaryDirectory } from './temporary-directory.js';

/** A closed queue of several segments, the last of which ends in an unfinished batch. */
async function queueIn(t: Test): Promise<string> {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, maxFileSize: 512, durability: 'written' });
  for (let at = 0; at < 10; at++) await queue.enqueue('x'.repeat(60));
  await queue.claim();
  await queue.dequeue();
  await queue.close();
  return directory;
}

const first = 'duro_00000000000000000001';

t.test('a directory that was used is sound', async (t) => {
  const directory = await queueIn(t);
  t.same(checkDirectory(directory), []);
  t.equal(readdirSync(directory).filter((name) => name.endsWith('.dat')).length, 4);
});

t.test('what a killed writer leaves is no problem', async (t) => {
  const directory = await queueIn(t);
  const last = readdirSync(directory)
    .filter((name) => name.endsWith('.dat'))
    .sort()
    .at(-1);
  const frame = readFileSync(join(directory, `${first}.dat`)).subarray(32, 32 + 90);
  appendFileSync(join(directory, last ?? ''), frame);
  appendFileSync(join(directory, 'duro.fate.1'), frame.subarray(0, 20));
  t.same(checkDirectory(directory), []);
});

t.test('what is wrong is found', async (t) => {
  const cases: [what: string, expected: RegExp, damage: (directory: string) => void][] = [
    ['a flipped byte in a record', /bytes behind the end/, (d) => flip(join(d, `${first}.dat`), 32 + 40)],
    ['a flipped byte in a header', /its header is foreign/, (d) => flip(join(d, `${first}.dat`), 8)],
    ['a fact that is damaged', /behind what is bad/, (d) => flip(join(d, 'duro.fate.1'), 32 + 36)],
    ['a temporary file', /temporary/, (d) => writeFileSync(join(d, 'duro.tmp.x'), '')],
    ['a name that is not ours', /not a name/, (d) => writeFileSync(join(d, 'duro.fate.x'), '')],
    ['a lock file that holds something', /lock file/, (d) => writeFileSync(join(d, 'duro.write.lock'), '1')],
    ['meta that is damaged', /version/, (d) => flip(join(d, 'duro.meta'), 3)],
    [
      'a segment that is missing',
      /records from 1 to/,
      (d) => writeFileSync(join(d, `${first}.dat`), '', { flag: 'w' }),
    ],
    [
      'an entry that lies',
      /says 2 is at/,
      (d) => {
        const entries = readFileSync(join(d, `${first}.idx`));
        const other = readFileSync(join(d, `${first}.idx`)).subarray(32, 64);
        other.writeUInt8(2, 0);
        other.writeUInt32LE(crc(other), 28);
        other.copy(entries, 64);
        writeFileSync(join(d, `${first}.idx`), entries);
      },
    ],
  ];
  for (const [what, expected, damage] of cases) {
    const directory = await queueIn(t);
    damage(directory);
    t.match(checkDirectory(directory).join('\n'), expected, what);
    t.throws(() => checkTemporaryDirectory(directory), /not sound/);
    damagedOnPurpose(directory);
  }
});

function flip(path: string, position: number): void {
  const bytes = readFileSync(path);
  bytes[position] = (bytes[position] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}

function crc(entry: Buffer): number {
  let sum = -1;
  for (const byte of entry.subarray(0, 28)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}
