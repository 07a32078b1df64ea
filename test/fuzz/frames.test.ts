import fc from 'fast-check';
import t from 'tap';
import type { DiskFile } from '../../src/disk/disk.js';
import {
  bodyIsWhole,
  completeHead,
  emptyHead,
  FrameKind,
  HEAD_BYTES,
  type Head,
  JOURNAL_KINDS,
  placeOf,
  readHead,
  SEGMENT_KINDS,
  writeBodyFields,
} from '../../src/frame/frame.js';
import { FrameScanner } from '../../src/frame/frame-scanner.js';
import { framesBehind } from '../../src/frame/frame-search.js';
import { encodeMark, findMark } from '../../src/frame/marks.js';
import { readUint48, writeUint48 } from '../../src/frame/uint48.js';
import { decodeHeaders, encodeHeaders } from '../../src/store/headers.js';
import { assert, bytesUpTo, check, lengths, typed, uint16, uint32, uint48 } from './check.js';

/** What a scan reads at a time where a frame is no longer, and what a search has for a window. */
const LARGEST_READ = 1024 * 1024;

/** A file in memory that says how it was read. */
class CountedFile implements DiskFile {
  readonly path = 'file';
  readonly content: Buffer;
  reads = 0;
  largest = 0;

  constructor(content: Buffer) {
    this.content = content;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    this.reads += 1;
    this.largest = Math.max(this.largest, into.length);
    const part = this.content.subarray(position, position + length);
    into.set(part, offset);
    return part.length;
  }

  size = (): number => this.content.length;
  write = (): number => 0;
  truncate = (): void => {};
  sync = async (): Promise<void> => {};
  syncNow = (): void => {};
  tryLock = (): boolean => true;
  unlock = (): void => {};
  close = (): void => {};
  closeRemoved = (): void => {};
  readLater = async (): Promise<number> => 0;
}

/** Bounds of whoever reads a small file: what it asks for at a time, and how often. */
function assertBounded({ reads, largest, content }: CountedFile): void {
  assert(largest <= LARGEST_READ, `${largest} bytes at a time for ${content.length}`);
  assert(reads <= content.length + 10, `${reads} reads of ${content.length} bytes`);
}

interface Made {
  readonly kind: number;
  readonly flags: number;
  readonly marks: number;
  readonly headers: number;
  readonly number: number;
  readonly time: number;
  readonly safe: number;
  readonly payload: Buffer;
}

/** Those that stand in segments and journals, which are searched. */
const kinds = fc.constantFrom(...Object.values(FrameKind).filter((kind) => kind !== FrameKind.ids));

const frame: fc.Arbitrary<Made> = fc.record({
  kind: kinds,
  flags: fc.nat(1),
  marks: fc.nat(20),
  headers: fc.nat(20),
  number: uint48,
  time: uint48,
  safe: uint48,
  payload: bytesUpTo(60),
});

const lengthOf = ({ marks, headers, payload }: Made): number => HEAD_BYTES + marks + headers + payload.length;

function encode(made: Made, place: number): Buffer {
  const { kind, flags, marks, headers, number, time, safe, payload } = made;
  const bytes = Buffer.alloc(lengthOf(made), 7);
  payload.copy(bytes, HEAD_BYTES + marks + headers);
  writeBodyFields(bytes, 0, bytes.length, kind, flags, marks, headers);
  completeHead(bytes, 0, place, number, time, safe);
  return bytes;
}

/** Frames one behind the other, and where each begins. */
function file(frames: readonly Made[], salt: number): { content: Buffer; starts: number[] } {
  const parts: Buffer[] = [];
  const starts: number[] = [];
  let position = 0;
  for (const made of frames) {
    starts.push(position);
    const bytes = encode(made, placeOf(salt, position));
    parts.push(bytes);
    position += bytes.length;
  }
  return { content: Buffer.concat(parts), starts };
}

interface Seen {
  readonly position: number;
  readonly head: Head;
}

function scan(content: Buffer, salt: number): { seen: Seen[]; position: number; stop: string } | undefined {
  const on = new CountedFile(content);
  const seen: Seen[] = [];
  const visit = (head: Head, _bytes: Buffer, _at: number, position: number): boolean => {
    seen.push({ position, head: { ...head } });
    return true;
  };
  const end = typed(['UNSUPPORTED_VERSION'], () => new FrameScanner(salt, () => false).scan(on, 0, visit));
  assertBounded(on);
  return end && { seen, ...end };
}

function search(content: Buffer, salt: number): number[] {
  const on = new CountedFile(content);
  const found: number[] = [];
  for (const table of [SEGMENT_KINDS, JOURNAL_KINDS])
    for (const { position } of framesBehind(on, 0, table, salt)) found.push(position);
  // Each of the two may read each frame's body on its own.
  on.reads /= 2;
  assertBounded(on);
  return found;
}

t.test('numbers come out of six bytes as they went in', (t) => {
  check(t, uint48, (value) => {
    const bytes = Buffer.alloc(8, 0xaa);
    writeUint48(bytes, value, 1);
    assert(readUint48(bytes, 1) === value, `${value}`);
    assert(bytes[0] === 0xaa && bytes[7] === 0xaa, 'a byte beside it was touched');
  });
  t.end();
});

t.test('frames come out of a file as they went in', (t) => {
  check(t, fc.tuple(fc.array(frame, { maxLength: 8 }), uint32), ([frames, salt]) => {
    const { content, starts } = file(frames, salt);
    const found = scan(content, salt);
    assert(found?.stop === 'end' && found.position === content.length, `${found?.stop}`);
    assert(JSON.stringify(found.seen.map(({ position }) => position)) === JSON.stringify(starts), 'others');
    for (const [at, { head }] of found.seen.entries()) {
      const made = frames[at] as Made;
      assert(head.length === lengthOf(made), 'length');
      for (const field of ['kind', 'flags', 'number', 'time', 'safe'] as const)
        assert(head[field] === made[field], field);
      assert(head.marksBytes === made.marks && head.headersBytes === made.headers, 'parts');
    }
    assert(search(content, salt).length >= 0, 'found');
  });
  t.end();
});

t.test('one changed byte costs the frame that it is in, and the search finds all others', (t) => {
  const damaged = fc.tuple(
    fc.array(frame, { minLength: 1, maxLength: 6 }),
    uint32,
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
  );
  check(t, damaged, ([frames, salt, where, mask]) => {
    const { content, starts } = file(frames, salt);
    const at = where % content.length;
    content[at] = (content[at] ?? 0) ^ mask;
    const hit = starts.findLastIndex((start) => start <= at);
    const found = scan(content, salt);
    assert(found !== undefined && found.seen.length === hit, `${found?.seen.length} before ${hit}`);
    assert(found.position === starts[hit] && found.stop !== 'end', `${found.stop} at ${found.position}`);
    const others = search(content, salt);
    for (const [nth, start] of starts.entries())
      assert(others.includes(start) === (nth !== hit), `${nth} of ${hit}`);
  });
  t.end();
});

t.test('whatever length a whole head says, no more is read than there is', (t) => {
  const lying = fc.tuple(
    frame,
    lengths,
    uint16,
    uint16,
    uint32,
    fc.oneof(bytesUpTo(100), fc.constant(Buffer.alloc(6000, 1))),
  );
  check(t, lying, ([made, length, marks, headers, salt, behind]) => {
    const bytes = Buffer.concat([encode(made, salt), behind]);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt16LE(marks, 6);
    bytes.writeUInt16LE(headers, 26);
    completeHead(bytes, 0, salt, made.number, made.time, made.safe);
    const head = emptyHead();
    const isHead = readHead(bytes, 0, salt, head);
    assert(isHead === length >= HEAD_BYTES + marks + headers, `a head of ${length} bytes`);
    const found = scan(bytes, salt);
    const isWhole = isHead && length <= bytes.length && bodyIsWhole(bytes, 0, head);
    assert(found === undefined || found.seen.length === 0 || isWhole, 'a frame that is not there');
    assert(search(bytes, salt).includes(0) === isWhole, 'the search');
  });
  t.end();
});

t.test('bytes by chance are no frames', (t) => {
  check(t, fc.tuple(bytesUpTo(600), uint32), ([content, salt]) => {
    assert(scan(content, salt)?.seen.length === 0, 'a frame');
    assert(search(content, salt).length === 0, 'a frame was found');
  });
  t.end();
});

t.test('marks come out as they went in, and odd ones end where they end', (t) => {
  const mark = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 255 }));
  check(t, fc.array(mark, { maxLength: 6 }), (marks) => {
    const bytes = Buffer.concat(marks.map(([tag, value]) => encodeMark(tag, value)));
    for (const [tag] of marks) {
      const first = marks.find(([other]) => other === tag)?.[1];
      assert(Buffer.compare(findMark(bytes, tag) ?? Buffer.of(1), first ?? Buffer.of(2)) === 0, `${tag}`);
    }
  });
  check(t, fc.tuple(bytesUpTo(300), fc.nat(255)), ([bytes, tag]) => {
    const value = findMark(bytes, tag);
    assert(value === undefined || value.length <= bytes.length, 'more than there is');
  });
  t.end();
});

t.test('headers come out as they went in; what is none is CODEC', (t) => {
  const record = fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 });
  check(t, record, (headers) => {
    const bytes = encodeHeaders(headers) ?? Buffer.alloc(0);
    assert(JSON.stringify(decodeHeaders(bytes, 1)) === JSON.stringify(headers), 'others');
  });
  check(
    t,
    fc.oneof(
      bytesUpTo(60),
      fc.json().map((text) => Buffer.from(text)),
    ),
    (bytes) => {
      const headers = typed(['CODEC'], () => decodeHeaders(bytes, 1));
      for (const value of Object.values(headers ?? {})) assert(typeof value === 'string', 'no string');
    },
  );
  t.end();
});
