import { basename } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { decodeFormatLine, encodeFormatLine } from '../../src/disk/format-line.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { decodeTakeovers, encodeTakeovers } from '../../src/epoch/takeover.js';
import { checksum } from '../../src/frame/checksum.js';
import {
  assertKnownHeader,
  checkFileHeader,
  encodeFileHeader,
  FEATURE_JOBS,
  HEADER_BYTES,
  HeaderKind,
  NEW_FEATURES,
  storeIdInHeader,
} from '../../src/frame/file-header.js';
import { ENTRY_BYTES, indexOfEntry, readEntry, writeEntry } from '../../src/segment/entry.js';
import { readMeta } from '../../src/store/meta.js';
import { summedAnew } from '../support/format-line.js';
import { assert, bytesUpTo, check, typed, uint32, uint48 } from './check.js';

const names = new FileNames('/q', 'duro');
const REFUSED = ['CORRUPT', 'UNSUPPORTED_VERSION'] as const;

const named = fc.integer({ min: 1, max: 999_999_999_999_999 });
const label = fc.stringMatching(/^[\w-]{1,20}$/);

/** Names of every kind, each with what must be read from it. */
const given: fc.Arbitrary<readonly [string, object]> = fc.oneof(
  fc
    .tuple(named, fc.nat(9))
    .map(([n, e]) => [names.data(n, e), { kind: 'data', number: n, epoch: e }] as const),
  fc
    .tuple(named, fc.nat(9))
    .map(([n, e]) => [names.entries(n, e), { kind: 'entries', number: n, epoch: e }] as const),
  fc
    .tuple(named, named)
    .map(([n, g]) => [names.sparseData(n, g), { kind: 'sparse-data', number: n, generation: g }] as const),
  fc
    .tuple(named, named)
    .map(
      ([n, g]) => [names.sparseEntries(n, g), { kind: 'sparse-entries', number: n, generation: g }] as const,
    ),
  fc
    .tuple(named, fc.nat(9))
    .map(([n, e]) => [names.fateJournal(n, e), { kind: 'fate', number: n, epoch: e }] as const),
  fc.nat().map((n) => [names.epoch(n), { kind: 'epoch', number: n }] as const),
  fc.nat().map((n) => [names.takeover(n), { kind: 'takeover', number: n }] as const),
  named.map((n) => [names.slot(n), { kind: 'lock' }] as const),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9]([\w.-]{0,20}[\w-])?$/), fc.nat())
    .map(
      ([name, n]) =>
        [names.hold('consumer', name, n), { kind: 'hold', of: 'consumer', name, number: n }] as const,
    ),
  named.map((n) => [names.repair(n), { kind: 'repair' }] as const),
  label.map((l) => [names.cut(l), { kind: 'cut' }] as const),
  label.map((l) => [names.temporary(l), { kind: 'temporary' }] as const),
  fc.constantFrom(
    [names.meta(), { kind: 'meta' }] as const,
    [names.spare(), { kind: 'spare' }] as const,
    [names.suspect(), { kind: 'suspect' }] as const,
    [names.guard(), { kind: 'lock' }] as const,
    [names.lockDirectory(), { kind: 'lock' }] as const,
    ...(['arrive', 'write', 'write.turn', 'fate', 'fate.turn', 'alive', 'shorten'] as const).map(
      (lock) => [names.lock(lock), { kind: 'lock' }] as const,
    ),
  ),
);

/** The name that a file of a kind has: what is read from a name leads back to it. */
function nameAgain(parsed: ReturnType<FileNames['parse']>): string | undefined {
  switch (parsed?.kind) {
    case 'data':
      return names.data(parsed.number, parsed.epoch);
    case 'entries':
      return names.entries(parsed.number, parsed.epoch);
    case 'sparse-data':
      return names.sparseData(parsed.number, parsed.generation);
    case 'sparse-entries':
      return names.sparseEntries(parsed.number, parsed.generation);
    case 'fate':
      return names.fateJournal(parsed.number, parsed.epoch);
    case 'epoch':
      return names.epoch(parsed.number);
    case 'takeover':
      return names.takeover(parsed.number);
    default:
      return undefined;
  }
}

t.test('each name is read as what it was given for, and by no other prefix', (t) => {
  check(t, given, ([path, what]) => {
    const name = basename(path);
    assert(JSON.stringify(names.parse(name)) === JSON.stringify(what), `${name} is another`);
    for (const prefix of ['d', 'dur', 'duro2', 'duro_', 'uro'])
      assert(new FileNames('/q', prefix).parse(name) === undefined, `${name} is of ${prefix}`);
  });
  t.end();
});

t.test('other names lead to no file that they are not', (t) => {
  const digits = fc.stringMatching(/^[0-9]{1,22}$/);
  const odd = fc.oneof(
    fc.string(),
    fc
      .tuple(
        fc.constantFrom('duro_', 'duro.fate.', 'duro.epoch.', 'duro.takeover.'),
        digits,
        fc.constantFrom('', '.dat', '.idx', '.e1.dat', '.01.dat', '.e0', '.e3', '.1.idx'),
      )
      .map((parts) => parts.join('')),
    fc.tuple(given, fc.nat(40), fc.string({ maxLength: 2 })).map(([[path], at, text]) => {
      const name = basename(path);
      return name.slice(0, at % name.length) + text + name.slice(at % name.length);
    }),
  );
  check(t, odd, (name) => {
    const parsed = names.parse(name);
    const again = nameAgain(parsed);
    assert(again === undefined || basename(again) === name, `${name} is taken for ${again}`);
  });
  t.end();
});

const kinds = fc.constantFrom(...Object.values(HeaderKind));
const id = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const features = fc.constantFrom(0, FEATURE_JOBS, NEW_FEATURES);
const header = fc.record({ kind: kinds, storeId: id, number: uint48, epoch: uint48, features });

t.test('a header is valid for the file that it was written for, and for no other', (t) => {
  check(t, fc.tuple(header, header), ([mine, other]) => {
    const bytes = encodeFileHeader(mine.kind, mine.storeId, mine.number, mine.epoch, mine.features);
    const verdict = ({ kind, storeId, number, epoch }: typeof mine, length = HEADER_BYTES): string =>
      checkFileHeader(bytes, length, kind, storeId, number, 'f', epoch);
    assert(verdict(mine) === 'valid', 'its own');
    assert(storeIdInHeader(bytes) === mine.storeId.toString('hex'), 'its id');
    for (const field of ['kind', 'number', 'epoch'] as const)
      if (mine[field] !== other[field])
        assert(verdict({ ...mine, [field]: other[field] }) === 'foreign', `another ${field}`);
    if (!mine.storeId.equals(other.storeId))
      assert(verdict({ ...mine, storeId: other.storeId }) === 'foreign', 'another store');
    for (const length of [0, 1, 17, 31]) assert(verdict(mine, length) === 'absent', `${length} bytes of it`);
  });
  t.end();
});

t.test('a changed header is foreign, or of a later version where its sum is right', (t) => {
  const changed = fc.tuple(header, fc.nat(31), fc.integer({ min: 1, max: 255 }), fc.boolean(), fc.nat(32));
  check(t, changed, ([{ kind, storeId, number, epoch, features }, at, mask, isSummed, length]) => {
    const bytes = encodeFileHeader(kind, storeId, number, epoch, features);
    bytes[at] = (bytes[at] ?? 0) ^ mask;
    if (isSummed) bytes.writeUInt32LE(checksum(bytes, 0, 28), 28);
    const verdict = typed(['UNSUPPORTED_VERSION'], () =>
      checkFileHeader(bytes, length, kind, storeId, number, 'f', epoch),
    );
    if (length < HEADER_BYTES) {
      const there = bytes.subarray(0, length);
      const isBegun =
        there.every((byte) => byte === 0) ||
        [0, FEATURE_JOBS, NEW_FEATURES].some((known) =>
          there.equals(encodeFileHeader(kind, storeId, number, epoch, known).subarray(0, length)),
        );
      assert(verdict === (isBegun ? 'absent' : 'foreign'), `${verdict} of ${length}`);
    } else {
      const isKnown = at === 6 && (mask & ~NEW_FEATURES) === 0;
      const isLater = isSummed && at >= 5 && at < 8 && !isKnown;
      const isUntouched = isSummed && (at >= 28 || isKnown);
      assert(verdict === (isLater ? undefined : isUntouched ? 'valid' : 'foreign'), `${verdict} at ${at}`);
    }
    typed(['UNSUPPORTED_VERSION'], () => assertKnownHeader(bytes, length, 'f'));
  });
  check(t, fc.tuple(bytesUpTo(40), header), ([bytes, { kind, storeId, number, epoch }]) => {
    const whole = Buffer.concat([bytes, Buffer.alloc(HEADER_BYTES)]).subarray(0, HEADER_BYTES);
    const verdict = checkFileHeader(whole, bytes.length, kind, storeId, number, 'f', epoch);
    assert(verdict !== 'valid', 'bytes by chance');
  });
  t.end();
});

t.test('an entry says what was written, of its own record, and nothing once a byte is another', (t) => {
  const entry = fc.tuple(
    uint48,
    uint32,
    uint32,
    uint48,
    fc.nat(ENTRY_BYTES - 1),
    fc.integer({ min: 1, max: 255 }),
  );
  check(t, entry, ([index, position, length, time, at, mask]) => {
    const bytes = Buffer.alloc(ENTRY_BYTES + 3);
    writeEntry(bytes, 3, index, position, length, time);
    const found = { position: 0, length: 0 };
    assert(readEntry(bytes, 3, index, found) && indexOfEntry(bytes, 3) === index, 'not there');
    assert(found.position === position && found.length === length, 'another');
    assert(!readEntry(bytes, 3, (index + 1) % 2 ** 48, found), 'of another record');
    bytes[3 + at] = (bytes[3 + at] ?? 0) ^ mask;
    assert(!readEntry(bytes, 3, index, found) && indexOfEntry(bytes, 3) === undefined, `byte ${at}`);
  });
  t.end();
});

const json = fc.jsonValue();

t.test('a line says what was written; anything else is CORRUPT or of another version', (t) => {
  const fields = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), json, { maxKeys: 4 });
  const line = fc.tuple(
    fields.map(({ format: _, version: __, features: ___, sum: ____, ...rest }) => rest),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    fc.nat(3),
  );
  check(t, line, ([rest, where, mask, how]) => {
    const bytes = encodeFormatLine(rest);
    const { format: _, version: __, features: ___, sum: ____, ...again } = decodeFormatLine(bytes, 'f');
    assert(JSON.stringify(again) === JSON.stringify(JSON.parse(JSON.stringify(rest))), 'another');
    const at = where % bytes.length;
    const changed =
      [
        () => bytes.subarray(0, at),
        () => Buffer.concat([bytes, bytes.subarray(0, at + 1)]),
        () => Buffer.concat([bytes.subarray(0, at), Buffer.of(mask), bytes.subarray(at)]),
        () => Buffer.from(bytes.map((byte, nth) => (nth === at ? byte ^ mask : byte))),
      ][how]?.() ?? bytes;
    assert(typed(REFUSED, () => decodeFormatLine(changed, 'f')) === undefined, `${changed}`);
  });
  check(
    t,
    fc.oneof(
      bytesUpTo(200),
      fc.json().map((text) => Buffer.from(text)),
    ),
    (bytes) => {
      assert(typed(REFUSED, () => decodeFormatLine(bytes, 'f')) === undefined, 'bytes by chance');
    },
  );
  const deep = Buffer.from('['.repeat(1_000_000));
  t.equal(
    typed(REFUSED, () => decodeFormatLine(deep, 'f')),
    undefined,
  );
  t.end();
});

t.test('a line whose sum is right and that says something else is refused, too', (t) => {
  const machine = new MemoryDisk();
  const opener = machine.opener();
  const of = (fields: object): Buffer =>
    Buffer.from(summedAnew(`${JSON.stringify(fields).slice(0, -1)},"sum":"00000000"}\n`));
  const other = fc.record({
    features: fc.oneof(fc.constant([]), json),
    locking: fc.oneof(fc.constantFrom('os', 'lockfile', 'none'), json),
    id: fc.oneof(fc.constant('0123456789abcdef'), json),
    takeovers: json,
  });
  check(t, other, (fields) => {
    const bytes = of({ format: 'durostore', version: 1, ...fields });
    machine.put(names.meta(), bytes);
    const meta = typed(REFUSED, () => readMeta(opener, names));
    assert(meta === undefined || ['os', 'lockfile', 'none'].includes(meta.locking), 'a meta');
    typed(REFUSED, () => decodeTakeovers(bytes, Buffer.from('0123456789abcdef', 'hex'), 'f'));
  });
  t.end();
});

t.test('take-overs come out as they went in', (t) => {
  const takeover = fc.record({
    epoch: uint48,
    next: uint48,
    segment: fc.record({ first: uint48, end: uint48 }),
    fact: uint48,
    journal: fc.record({ number: uint48, end: uint48 }),
  });
  check(t, fc.tuple(id, fc.array(takeover, { maxLength: 5 })), ([storeId, takeovers]) => {
    const bytes = encodeTakeovers(storeId, takeovers);
    assert(JSON.stringify(decodeTakeovers(bytes, storeId, 'f')) === JSON.stringify(takeovers), 'others');
    const other = Buffer.from(storeId.map((byte) => byte ^ 1));
    assert(typed(REFUSED, () => decodeTakeovers(bytes, other, 'f')) === undefined, 'of another store');
  });
  t.end();
});
