import fc from 'fast-check';
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { checksum, checksumIn } from '../../src/frame/checksum.js';
import {
  checkFileHeader,
  encodeFileHeader,
  FEATURE_JOBS,
  featuresOf,
  HEADER_BYTES,
  HeaderKind,
  NEW_FEATURES,
} from '../../src/frame/file-header.js';
import {
  bodyIsWhole,
  completeHead,
  emptyHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  readHead,
  saltOf,
  writeBodyFields,
} from '../../src/frame/frame.js';
import { FrameScanner } from '../../src/frame/frame-scanner.js';
import { encodeMark, findMark, Mark } from '../../src/frame/marks.js';
import { MAX_UINT48, readUint48, writeUint48 } from '../../src/frame/uint48.js';
import { viewOf } from '../../src/frame/view.js';

const storeId = Buffer.from('0011223344556677', 'hex');

const salt = saltOf(storeId);

/** A frame as the library writes it at a position of a file. */
function frameAt(
  position: number,
  number: number,
  payload: Uint8Array,
  marks: Buffer = Buffer.alloc(0),
  headers: Buffer = Buffer.alloc(0),
): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + marks.length + headers.length + payload.length);
  Buffer.concat([marks, headers, payload]).copy(bytes, HEAD_BYTES);
  writeBodyFields(bytes, 0, bytes.length, FrameKind.record, FLAG_ENDS_BATCH, marks.length, headers.length);
  completeHead(bytes, 0, placeOf(salt, position), number, 1_700_000_000_000, number - 1);
  return bytes;
}

const frame = (number: number, payload: Uint8Array, ...rest: Buffer[]): Buffer =>
  frameAt(32, number, payload, ...rest);

const place = placeOf(salt, 32);

t.test('the bytes of a frame', async (t) => {
  const bytes = frame(
    0x010203040506,
    Buffer.from('payload'),
    encodeMark(Mark.codec, Buffer.from('v8')),
    Buffer.from('{}'),
  );
  t.equal(
    bytes.toString('hex'),
    [
      '31000000', // length: 49
      '01', // kind: record
      '01', // flags: ends its batch
      '0400', // bytes of marks
      '060504030201', // number
      '0068e5cf8b01', // time
      '050504030201', // safe
      '0200', // bytes of headers
      'c63789c9', // sum of the body
      '6980cf6c', // sum of the head, begun with its place
      '01027638', // marks: codec, 2 bytes, v8
      '7b7d', // headers
      '7061796c6f6164',
    ].join(''),
  );
});

t.test('the bytes of a file header', async (t) => {
  t.equal(
    encodeFileHeader(HeaderKind.entries, storeId, 0x010203040506).toString('hex'),
    '4455524f' + '02' + '01' + '0300' + '0011223344556677' + '060504030201' + '000000000000' + '61e38b09',
  );
});

t.test('the sum is the CRC-32 of everybody, at every length and alignment', async (t) => {
  t.equal(checksum(Buffer.from('123456789'), 0, 9), 0xcbf43926);
  const naive = (bytes: Uint8Array): number => {
    let sum = -1;
    for (const byte of bytes) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
    }
    return ~sum >>> 0;
  };
  const bytes = Buffer.from(Array.from({ length: 500 }, (_, at) => (at * 167 + 13) & 0xff));
  const inTheMiddle = viewOf(Buffer.concat([Buffer.alloc(7, 0xee), bytes]).subarray(7));
  for (let from = 0; from < 9; from++) {
    for (let to = from; to <= 500; to++) {
      const sum = naive(bytes.subarray(from, to));
      if (checksum(bytes, from, to) !== sum) t.fail(`${from} to ${to}`);
      if (checksumIn(inTheMiddle, from, to) !== sum) t.fail(`in a view, ${from} to ${to}`);
      const between = checksumIn(inTheMiddle, from, (from + to) >>> 1);
      if (checksumIn(inTheMiddle, (from + to) >>> 1, to, between) !== sum) t.fail(`in two, ${from} to ${to}`);
    }
  }
});

t.test('a head is written by words as by bytes, whatever is in it', async () => {
  const uint48 = fc.oneof(
    fc.integer({ min: 0, max: MAX_UINT48 }),
    fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 32, MAX_UINT48),
  );
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const uint16 = fc.integer({ min: 0, max: 0xffff });
  const fields = fc.tuple(uint32, uint32, uint32, uint48, uint48, uint48, uint16, uint16, fc.nat(3));
  fc.assert(
    fc.property(fields, ([length, sum, place, number, time, safe, marks, headers, at]) => {
      const bytes = Buffer.alloc(HEAD_BYTES + 8, 0xee);
      writeBodyFields(bytes, at, length, FrameKind.facts, FLAG_ENDS_BATCH, marks, headers, sum);
      completeHead(bytes, at, place, number, time, safe);
      const expected = Buffer.alloc(HEAD_BYTES + 8, 0xee);
      expected.writeUInt32LE(length, at);
      expected.writeUInt8(FrameKind.facts, at + 4);
      expected.writeUInt8(FLAG_ENDS_BATCH, at + 5);
      expected.writeUInt16LE(marks, at + 6);
      expected.writeUIntLE(number, at + 8, 6);
      expected.writeUIntLE(time, at + 14, 6);
      expected.writeUIntLE(safe, at + 20, 6);
      expected.writeUInt16LE(headers, at + 26);
      expected.writeUInt32LE(sum, at + 28);
      expected.writeUInt32LE(checksum(expected, at, at + 32, place), at + 32);
      return bytes.equals(expected);
    }),
  );
});

t.test('numbers of 48 bits', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_UINT48 }), fc.integer({ min: 0, max: 3 }), (number, at) => {
      const bytes = Buffer.alloc(10, 0xee);
      writeUint48(bytes, number, at);
      return (
        readUint48(bytes, at) === number && bytes.every((byte, i) => (i >= at && i < at + 6) || byte === 0xee)
      );
    }),
  );
  const bytes = Buffer.alloc(6);
  for (const number of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, MAX_UINT48]) {
    writeUint48(bytes, number, 0);
    t.equal(readUint48(bytes, 0), number);
  }
});

t.test('a frame comes back as it was; with any byte changed it does not', async (t) => {
  const parts = fc.tuple(
    fc.integer({ min: 1, max: MAX_UINT48 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(
      parts,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      ([number, payload, marks, headers], byte, mask) => {
        const bytes = frame(number, payload, Buffer.from(marks), Buffer.from(headers));
        const head = emptyHead();
        if (!readHead(bytes, 0, place, head) || !bodyIsWhole(bytes, 0, head)) throw new Error('not accepted');
        const { length, kind, flags, marksBytes, headersBytes, safe } = head;
        const found = [length, kind, flags, marksBytes, headersBytes, head.number, safe];
        const wanted = [
          bytes.length,
          FrameKind.record,
          FLAG_ENDS_BATCH,
          marks.length,
          headers.length,
          number,
          number - 1,
        ];
        if (found.join() !== wanted.join()) throw new Error(`${found}, not ${wanted}`);
        const at = byte % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        if (readHead(bytes, 0, place, head) && head.length <= bytes.length && bodyIsWhole(bytes, 0, head))
          throw new Error(`accepted with byte ${at} changed`);
      },
    ),
  );
  t.pass();
});

t.test('a frame is one only at its own place, in its own store', async (t) => {
  const bytes = frame(1, Buffer.from('x'));
  t.equal(readHead(bytes, 0, place, emptyHead()), true);
  t.equal(readHead(bytes, 0, placeOf(salt, 33), emptyHead()), false);
  t.equal(readHead(bytes, 0, placeOf(saltOf(Buffer.alloc(8, 7)), 32), emptyHead()), false);
});

t.test('garbage is no head', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: HEAD_BYTES, maxLength: 80 }),
      (garbage) => !readHead(Buffer.from(garbage), 0, place, emptyHead()),
    ),
    { numRuns: 2000 },
  );
  t.equal(readHead(Buffer.alloc(HEAD_BYTES), 0, place, emptyHead()), false, 'zeros are none');
  const lying = frame(1, Buffer.alloc(0));
  lying.writeUInt32LE(HEAD_BYTES - 1, 0);
  completeHead(lying, 0, place, 1, 1, 0);
  t.equal(readHead(lying, 0, place, emptyHead()), false, 'shorter than itself');
});

t.test('file headers', async (t) => {
  const header = encodeFileHeader(HeaderKind.data, storeId, 7);
  const check = (bytes: Buffer, length = bytes.length): string =>
    checkFileHeader(bytes, length, HeaderKind.data, storeId, 7, 'a file');
  t.equal(check(header), 'valid');
  t.equal(check(Buffer.alloc(HEADER_BYTES)), 'absent');
  t.equal(check(header, 0), 'absent');
  for (let length = 1; length < HEADER_BYTES; length++)
    t.equal(check(header, length), 'absent', `${length} bytes: its writer died`);
  const before = encodeFileHeader(HeaderKind.data, storeId, 7, 0, 0);
  t.equal(check(before), 'valid', 'a file of before the first feature');
  t.equal(featuresOf(before), 0);
  t.equal(featuresOf(header), NEW_FEATURES);
  for (let length = 1; length < HEADER_BYTES; length++)
    t.equal(check(before, length), 'absent', `${length} bytes of such a file`);
  const jobs = encodeFileHeader(HeaderKind.data, storeId, 7, 0, FEATURE_JOBS);
  t.equal(check(jobs), 'valid', 'a file of before the second');
  for (let length = 1; length < HEADER_BYTES; length++)
    t.equal(check(jobs, length), 'absent', `${length} bytes of such a file`);
  for (const other of [
    encodeFileHeader(HeaderKind.entries, storeId, 7),
    encodeFileHeader(HeaderKind.data, Buffer.from('ff11223344556677', 'hex'), 7),
    encodeFileHeader(HeaderKind.data, storeId, 8),
  ])
    t.equal(check(other), 'foreign');
  for (let at = 0; at < HEADER_BYTES; at++) {
    const changed = Buffer.from(header);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    t.equal(check(changed), 'foreign', `byte ${at}`);
  }
  const later = Buffer.from(header);
  later[5] = 2;
  later.writeUInt32LE(checksum(later, 0, 28), 28);
  t.throws(() => check(later), { code: 'UNSUPPORTED_VERSION', message: /version 2.*Nothing was changed/ });
});

t.test('marks', async (t) => {
  const marks = Buffer.concat([
    encodeMark(9, Buffer.from('other')),
    encodeMark(Mark.codec, Buffer.from('json')),
    encodeMark(7, Buffer.alloc(0)),
  ]);
  t.equal(Buffer.from(findMark(marks, Mark.codec) ?? []).toString(), 'json', 'behind one that is not known');
  t.equal(findMark(marks, 7)?.length, 0);
  t.equal(findMark(marks, 3), undefined);
  t.equal(findMark(new Uint8Array(), 1), undefined);
  t.equal(encodeMark(1, Buffer.alloc(255)).length, 257);
  t.throws(() => encodeMark(1, Buffer.alloc(256)), RangeError);
});

t.test('the scanner', async (t) => {
  let position = HEADER_BYTES;
  const frames = [3, 5000, 0, 300_000, 10].map((size, at) => {
    const bytes = frameAt(position, at + 1, Buffer.alloc(size, at + 1));
    position += bytes.length;
    return bytes;
  });
  const whole = Buffer.concat([Buffer.alloc(HEADER_BYTES, 1), ...frames]);
  const ends: number[] = [];
  for (const one of frames) ends.push((ends.at(-1) ?? HEADER_BYTES) + one.length);
  function scan(bytes: Buffer): { seen: number[]; position: number; stop: string } {
    const machine = new MemoryDisk();
    machine.put('/q/f', bytes);
    const file = machine.opener().open('/q/f', 'read');
    if (file === undefined) throw new Error('not there');
    const seen: number[] = [];
    const result = new FrameScanner(salt, () => false).scan(file, HEADER_BYTES, (head) => {
      seen.push(head.number);
      return true;
    });
    return { seen, ...result };
  }
  await t.test('sees all frames, and where they end', async (t) => {
    for (const zeros of [0, 1, 35, 36, 37, 5000])
      t.same(scan(Buffer.concat([whole, Buffer.alloc(zeros)])), {
        seen: [1, 2, 3, 4, 5],
        position: whole.length,
        stop: 'end',
      });
  });
  await t.test('every place where the file may be cut', async (t) => {
    const places = new Set<number>();
    for (const end of [HEADER_BYTES, ...ends])
      for (let at = end - 40; at <= end + 40; at++)
        if (at >= HEADER_BYTES && at <= whole.length) places.add(at);
    for (const cut of places) {
      const complete = ends.filter((end) => end <= cut).length;
      const position = ends[complete - 1] ?? HEADER_BYTES;
      const { seen, ...result } = scan(whole.subarray(0, cut));
      const wanted = { position, stop: cut === position ? 'end' : 'short' };
      if (seen.length !== complete || JSON.stringify(result) !== JSON.stringify(wanted))
        t.same({ cut, ...result }, { cut, ...wanted });
    }
    t.pass(`${places.size} places`);
  });
  await t.test('a changed byte', async (t) => {
    for (const [at, end] of ends.entries()) {
      const start = ends[at - 1] ?? HEADER_BYTES;
      for (const byte of [start, start + 4, start + 20, start + 35, end - 1]) {
        const bytes = Buffer.from(whole);
        bytes[byte] = (bytes[byte] ?? 0) ^ 0x40;
        const { seen, position, stop } = scan(bytes);
        t.same([seen.length, position], [at, start]);
        t.ok(stop === 'bad' || stop === 'short', stop);
      }
    }
  });
  await t.test('stops when told, and begins anywhere', async (t) => {
    const machine = new MemoryDisk();
    machine.put('/q/f', whole);
    const file = machine.opener().open('/q/f', 'read');
    if (file === undefined) throw new Error('not there');
    const scanner = new FrameScanner(salt, () => false);
    t.same(
      scanner.scan(file, HEADER_BYTES, (head) => head.number < 2),
      { position: ends[1], stop: 'stopped' },
    );
    t.same(
      scanner.scan(file, ends[3] ?? 0, () => true),
      { position: whole.length, stop: 'end' },
    );
    t.same(
      scanner.scan(file, whole.length, () => true),
      { position: whole.length, stop: 'end' },
    );
  });
});
