import { crc32 } from 'node:zlib';
import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { completeHead, FLAG_ENDS_BATCH, placeOf, saltOf, writeBodyFields } from '../../src/frame/frame.js';
import { DIRECTORY, data, entries, files, fill, JOURNAL, leave, open } from '../care/store.js';
import { summedAnew } from '../support/format-line.js';

const META = `${DIRECTORY}/duro.meta`;

const bytesOf = (machine: MemoryDisk, path: string): Buffer => Buffer.from(machine.bytes(path) ?? []);

/** Sets a byte of a header, which stays whole. */
function inHeader(machine: MemoryDisk, path: string, at: number, value: number): void {
  const bytes = bytesOf(machine, path);
  bytes[at] = value;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  machine.put(path, bytes);
}

const inMeta = (machine: MemoryDisk, from: string, to: string): void =>
  machine.put(META, summedAnew(bytesOf(machine, META).toString().replace(from, to)));

/** Puts a whole frame behind the last one of a file. */
function append(
  machine: MemoryDisk,
  path: string,
  kind: number,
  number: number,
  flags: number,
  body = 0,
): void {
  const bytes = bytesOf(machine, path);
  const { id } = JSON.parse(bytesOf(machine, META).toString()) as { id: string };
  let end = 32;
  while (end + 36 <= bytes.length && bytes.readUInt32LE(end) > 0) end += bytes.readUInt32LE(end);
  const frame = Buffer.alloc(37, body);
  writeBodyFields(frame, 0, frame.length, kind, flags, 0, 0);
  completeHead(frame, 0, placeOf(saltOf(Buffer.from(id, 'hex')), end), number, Date.now(), 0);
  const opener = machine.opener();
  opener.open(path, 'write')?.write(frame, 0, frame.length, end);
  machine.kill(opener);
}

const cases: readonly [what: string, change: (machine: MemoryDisk) => void][] = [
  ['meta of version 2', (machine) => inMeta(machine, '"version":1', '"version":2')],
  ['meta that says a feature', (machine) => inMeta(machine, '"features":[]', '"features":["spools"]')],
  ['meta that says another way of locking', (machine) => inMeta(machine, '"os"', '"quorum"')],
  ...[data(1), data(9), entries(5), JOURNAL].flatMap((path): (typeof cases)[number][] => [
    [`${path} of version 2`, (machine) => inHeader(machine, path, 5, 2)],
    [`${path} with the first feature that is not known`, (machine) => inHeader(machine, path, 6, 4)],
    [`${path} with the last feature`, (machine) => inHeader(machine, path, 7, 0x80)],
  ]),
  ['a frame of unknown kind in a segment', (machine) => append(machine, data(9), 5, 11, FLAG_ENDS_BATCH)],
  ['an unknown flag of a record', (machine) => append(machine, data(9), 1, 11, FLAG_ENDS_BATCH | 4)],
  ['a frame of unknown kind in a journal', (machine) => append(machine, JOURNAL, 22, 3, FLAG_ENDS_BATCH)],
  ['an unknown fact', (machine) => append(machine, JOURNAL, 16, 3, FLAG_ENDS_BATCH, 40)],
];

for (const [made, make] of [
  ['closed', fill],
  ['left', leave],
] as const) {
  for (const [what, change] of cases) {
    t.test(`${what}, in a store that was ${made}: refused, and nothing is touched`, async (t) => {
      const machine = new MemoryDisk();
      await make(machine);
      change(machine);
      // What the first opener mends or removes stays too, where a name, a meta or a header tells.
      if (!what.startsWith('a')) machine.put(`${DIRECTORY}/duro.tmp.0a1b`, Buffer.from('begun'));
      const before = files(machine);
      const refused = { code: 'UNSUPPORTED_VERSION' };
      await t.rejects(open(machine), refused);
      await t.rejects(verifyOn(machine.opener(), { directory: DIRECTORY }), refused);
      await t.rejects(repairOn(machine.opener(), { directory: DIRECTORY }), refused);
      t.same(files(machine), before);
    });
  }
}

t.test('whoever has the store open stops where the log goes on in a later version', async (t) => {
  const machine = new MemoryDisk();
  await fill(machine);
  const store = await open(machine);
  t.equal((await store.read(9))?.length, 15);
  append(machine, data(9), 5, 11, FLAG_ENDS_BATCH);
  const before = files(machine);
  const refused = { code: 'UNSUPPORTED_VERSION' };
  await t.rejects(store.write(Buffer.from('next')), refused);
  await t.rejects(store.length(), refused);
  t.same(files(machine), before, 'what another has written is not cut away');
});

t.test('a meta of this version that was changed is CORRUPT, and nothing is touched', async (t) => {
  const machine = new MemoryDisk();
  await fill(machine);
  const whole = bytesOf(machine, META);
  const beginning = whole.indexOf('"features"');
  for (let at = 0; at < whole.length; at++) {
    const other = Buffer.from(whole);
    other[at] = (other[at] as number) ^ 1;
    machine.put(META, other);
    const before = files(machine);
    await t.rejects(
      open(machine),
      { code: at < beginning ? 'UNSUPPORTED_VERSION' : 'CORRUPT' },
      `byte ${at}`,
    );
    t.same(files(machine), before);
  }
  for (let length = 0; length < whole.length; length++) {
    machine.put(META, whole.subarray(0, length));
    await t.rejects(open(machine), { code: length < beginning ? 'UNSUPPORTED_VERSION' : 'CORRUPT' });
  }
  machine.put(META, whole);
  t.equal(await (await open(machine)).length(), 8);
});
