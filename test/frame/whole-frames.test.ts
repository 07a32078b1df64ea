/** Many frames are checked by one sum: it says what the sums of each would say. */
import fc from 'fast-check';
import t from 'tap';
import {
  bodyIsWhole,
  completeHead,
  emptyHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  readHead,
  writeBodyFields,
} from '../../src/frame/frame.js';
import { endOfWholeFrames } from '../../src/frame/whole-frames.js';

const SALT = 0xfedc1234;
const POSITION = 4_123_456;
const LEAD = 5;

/** Frames one behind the other, with bodies of these sizes, behind some bytes that are none of theirs. */
function block(sizes: readonly number[], salt = SALT): { bytes: Buffer; starts: number[] } {
  const starts: number[] = [];
  const bytes = Buffer.alloc(LEAD + sizes.reduce((sum, size) => sum + HEAD_BYTES + size, 0), 0xa5);
  let at = LEAD;
  for (const [index, size] of sizes.entries()) {
    starts.push(at);
    for (let byte = 0; byte < size; byte++) bytes[at + HEAD_BYTES + byte] = (byte * 7 + index) ^ (byte >>> 5);
    const length = HEAD_BYTES + size;
    writeBodyFields(bytes, at, length, FrameKind.record, FLAG_ENDS_BATCH, 0, 0);
    completeHead(bytes, at, placeOf(salt, POSITION + at - LEAD), index + 1, 1_700_000_000_000, index);
    at += length;
  }
  return { bytes, starts };
}

/** The same answer from the sums of each frame, as far as the first that is not whole. */
function endSingly(bytes: Buffer, to: number): number {
  const head = emptyHead();
  let at = LEAD;
  while (to - at >= HEAD_BYTES) {
    if (!readHead(bytes, at, placeOf(SALT, POSITION + at - LEAD), head)) break;
    if (head.length > to - at || !bodyIsWhole(bytes, at, head)) break;
    at += head.length;
  }
  return at;
}

const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(3000), fc.constant(1024)), {
  minLength: 1,
  maxLength: 20,
});

t.test('whole frames are seen to be whole, as far as they are all there', async () => {
  fc.assert(
    fc.property(sizes, fc.nat(), (chosen, cut) => {
      const { bytes } = block(chosen);
      const to = bytes.length - (cut % (bytes.length - LEAD + 1));
      const found = endOfWholeFrames(bytes, LEAD, to, SALT, POSITION);
      if (found !== endSingly(bytes, to)) throw new Error(`${found} of ${to}`);
    }),
  );
});

t.test('no frame that is damaged anywhere is seen to be whole', async () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.integer({ min: 1, max: 255 }), (chosen, where, change) => {
      const { bytes } = block(chosen);
      const at = LEAD + (where % (bytes.length - LEAD));
      bytes[at] = (bytes[at] as number) ^ change;
      const found = endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION);
      if (found > endSingly(bytes, bytes.length)) throw new Error(`${found}, and byte ${at} is damaged`);
    }),
    { numRuns: 1000 },
  );
});

t.test('nor one that was written elsewhere, or is another store’s', async (t) => {
  const { bytes, starts } = block([100, 100, 100, 100]);
  const swapped = Buffer.from(bytes);
  bytes.copy(swapped, starts[1] ?? 0, starts[2], starts[3]);
  bytes.copy(swapped, starts[2] ?? 0, starts[1], starts[2]);
  t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION), bytes.length);
  t.equal(endOfWholeFrames(swapped, LEAD, bytes.length, SALT, POSITION), LEAD);
  t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION + 1), LEAD);
  t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT + 1, POSITION), LEAD);
  t.equal(endOfWholeFrames(block([10], SALT + 1).bytes, LEAD, 51, SALT, POSITION), LEAD);
});

t.test('lengths of all digits, and what is longer than a block', async (t) => {
  for (const size of [0, 15, 16, 255, 256, 4095, 4096, 65_535 - HEAD_BYTES]) {
    const { bytes } = block([size, 1, size]);
    t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION), bytes.length, `${size}`);
  }
  const { bytes, starts } = block([10, 65_536 - HEAD_BYTES, 10]);
  t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION), starts[1], 'left to be checked alone');
});

t.test('zeros, and a length that says nothing, end the look', async (t) => {
  const { bytes, starts } = block([50, 60, 70]);
  const third = starts[2] ?? 0;
  const after = Buffer.concat([bytes.subarray(0, third), Buffer.alloc(500)]);
  t.equal(endOfWholeFrames(after, LEAD, after.length, SALT, POSITION), third);
  bytes.writeUInt32LE(HEAD_BYTES - 1, third);
  t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION), third);
  bytes.writeUInt32LE(0xffffffff, third);
  t.equal(endOfWholeFrames(bytes, LEAD, bytes.length, SALT, POSITION), third);
});
