import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { checksum } from '../../src/frame/checksum.js';
import { completeHead, FrameKind, placeOf, SEGMENT_KINDS } from '../../src/frame/frame.js';
import { FrameScanner } from '../../src/frame/frame-scanner.js';
import { framesBehind } from '../../src/frame/frame-search.js';
import { joinedSum } from '../../src/frame/whole-frames.js';
import { Batch } from '../../src/segment/batch.js';

const SIZE = 3_000_000;

/** A file with a small record, a large one, and a small one. */
function world() {
  const batch = new Batch();
  for (const size of [10, SIZE, 20]) {
    batch.begin();
    batch.add(new Uint8Array(size).fill(size));
  }
  batch.finishAll(0, 3);
  const starts: number[] = [];
  for (const [at, { start }] of batch.groups.entries()) {
    starts.push(start);
    completeHead(batch.bytes, start, placeOf(7, start), at + 1, 1, 0);
  }
  const file = new MemoryDisk().opener().create('/file');
  if (file === undefined) throw new Error('no file');
  file.write(batch.bytes, 0, batch.length, 0);
  const [, large = 0] = starts;
  const flip = (position: number): void => {
    const byte = Buffer.alloc(1);
    file.read(byte, 0, 1, position);
    file.write(Buffer.of((byte[0] as number) ^ 1), 0, 1, position);
  };
  return { file, large, end: batch.length, flip };
}

t.test('a large record is passed over without being held', async (t) => {
  const { file, large, end, flip } = world();
  const seen: number[] = [];
  let isFenced = false;
  const scanner = new FrameScanner(7, () => isFenced);
  const scan = (stopAt = 99) => {
    seen.length = 0;
    return scanner.scan(file, 0, ({ number, kind }) => {
      t.equal(kind, FrameKind.record);
      seen.push(number);
      return number < stopAt;
    });
  };
  t.same(scan(), { position: end, stop: 'end' });
  t.same(seen, [1, 2, 3]);
  t.match(scan(2), { stop: 'stopped' });
  t.same(seen, [1, 2]);
  for (const position of [large + 36, large + SIZE / 2, large + 36 + SIZE - 1]) {
    flip(position);
    t.same(scan(), { position: large, stop: 'bad' }, 'a byte of its body');
    t.same(
      [...framesBehind(file, 1, SEGMENT_KINDS, 7)].map(({ number }) => number),
      [3],
    );
    flip(position);
  }
  t.same(
    [...framesBehind(file, 0, SEGMENT_KINDS, 7)].map(({ number }) => number),
    [1, 2, 3],
  );
  isFenced = true;
  t.same(
    scanner.scan(file, large, () => t.fail('behind a fence')),
    { position: large, stop: 'fenced' },
  );
  isFenced = false;
  file.truncate(end - 100);
  t.same(scan(), { position: large, stop: 'short' });
});

t.test('the sum of two parts follows from those of the parts', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at * 31) >>> 3));
  for (const cut of [0, 1, 7, 36, 1000, 4096, 4999, 5000]) {
    const first = checksum(bytes, 0, cut);
    const second = checksum(bytes, cut, bytes.length);
    t.equal(joinedSum(first, second, bytes.length - cut), checksum(bytes, 0, bytes.length));
  }
  const long = Buffer.alloc(70_000_000, 'long');
  const joined = joinedSum(checksum(bytes, 0, 5000), checksum(long, 0, long.length), long.length);
  t.equal(joined, checksum(long, 0, long.length, checksum(bytes, 0, 5000)));
});
