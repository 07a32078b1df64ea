/** Scanning sees the frames that are whole, in order, as far as the first that is not, however they lie in what is read at once. */
import t from 'tap';
import type { DiskFile } from '../../src/disk/disk.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  writeBodyFields,
} from '../../src/frame/frame.js';
import { FrameScanner } from '../../src/frame/frame-scanner.js';

const SALT = 0x89abcdef;
/** Of frames of 136 bytes, the one that the first read of 4 KiB breaks off in. */
const AT_SECOND_READ = 30;

/** A file of frames with bodies of these sizes, numbered from 1 on, and where each begins and the last one ends. */
function fileOf(sizes: readonly number[], behind = 0): { file: DiskFile; starts: number[]; bytes: Buffer } {
  const starts: number[] = [];
  const bytes = Buffer.alloc(sizes.reduce((sum, size) => sum + HEAD_BYTES + size, behind));
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    starts.push(at);
    const length = HEAD_BYTES + size;
    bytes.fill(index + 1, at + HEAD_BYTES, at + length);
    writeBodyFields(bytes, at, length, FrameKind.record, FLAG_ENDS_BATCH, 0, 0);
    completeHead(bytes, at, placeOf(SALT, at), index + 1, 1_700_000_000_000, index);
    at += length;
  }
  starts.push(at);
  const file = new MemoryDisk().opener().create('/frames') as DiskFile;
  file.write(bytes, 0, bytes.length, 0);
  return { file, starts, bytes };
}

function scanned(file: DiskFile, isFenced = () => false) {
  const seen: { number: number; position: number; first: number | undefined }[] = [];
  const scanner = new FrameScanner(SALT, isFenced);
  const end = scanner.scan(file, 0, ({ number }, bytes, at, position) => {
    seen.push({ number, position, first: bytes[at + HEAD_BYTES] });
    return true;
  });
  return { seen, ...end };
}

t.test('every byte of many frames, damaged: those before are seen, and nothing from there on', async (t) => {
  const sizes = [10, 30, 0, 21, 7, 64];
  const { file, starts, bytes } = fileOf(sizes);
  for (let damaged = 0; damaged < bytes.length; damaged++) {
    for (const change of [1, 0x80, 0xff]) {
      const wrong = Buffer.from([(bytes[damaged] as number) ^ change]);
      file.write(wrong, 0, 1, damaged);
      const whole = starts.findIndex((start) => start > damaged) - 1;
      const { seen, position, stop } = scanned(file);
      const numbers = seen.map(({ number }) => number);
      const expected = Array.from({ length: whole }, (_, at) => at + 1);
      if (
        numbers.join() !== expected.join() ||
        position !== starts[whole] ||
        (stop !== 'bad' && stop !== 'short')
      )
        t.fail(`byte ${damaged} ^ ${change}: saw ${numbers.join()} and ${stop} at ${position}`);
    }
    file.write(bytes, damaged, 1, damaged);
  }
  t.equal(scanned(file).seen.length, sizes.length);
});

t.test('small and large frames, across reads, and zeros behind them', async (t) => {
  const sizes = Array.from({ length: 3000 }, (_, at) =>
    at % 500 === 7 ? 70_000 : at % 97 === 3 ? 5000 : at % 40,
  );
  for (const behind of [0, 20, 10_000]) {
    const { file, starts } = fileOf(sizes, behind);
    const { seen, position, stop } = scanned(file);
    t.same(
      seen.map(({ number, position }) => [number, position]),
      sizes.map((_, at) => [at + 1, starts[at]]),
    );
    t.ok(seen.every(({ number, first }, at) => sizes[at] === 0 || first === (number & 0xff)));
    t.same({ position, stop }, { position: starts[sizes.length], stop: 'end' });
  }
});

t.test('a frame that was damaged far on is told exactly, however many were read with it', async (t) => {
  const { file, starts, bytes } = fileOf(Array.from({ length: 2000 }, () => 100));
  for (const frame of [1, 2, AT_SECOND_READ, 500, 1999]) {
    const at = (starts[frame] as number) + HEAD_BYTES + 50;
    file.write(Buffer.from([0xee]), 0, 1, at);
    const { seen, position, stop } = scanned(file);
    t.same([seen.length, position, stop], [frame, starts[frame], 'bad']);
    file.write(bytes, at, 1, at);
  }
});

t.test('⚑ behind a fence nothing is seen, of what one read brought as well', async (t) => {
  const { file } = fileOf(Array.from({ length: 200 }, () => 100));
  t.match(
    scanned(file, () => true),
    { seen: [], position: 0, stop: 'fenced' },
  );
});
