import { randomBytes } from 'node:crypto';
import t from 'tap';
import { encodeFormatLine } from '../../src/disk/format-line.js';
import { encodeTakeovers } from '../../src/epoch/takeover.js';
import { encodeFileHeader, HeaderKind } from '../../src/frame/file-header.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  saltOf,
  writeBodyFields,
} from '../../src/frame/frame.js';
import { encodeMark, Mark } from '../../src/frame/marks.js';
import { encodeOrderMarks } from '../../src/frame/order-marks.js';
import { encodeCarried } from '../../src/journal/carried-facts.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import { Batch } from '../../src/segment/batch.js';
import { ENTRY_BYTES, writeEntry } from '../../src/segment/entry.js';
import { encodeSeal } from '../../src/segment/seal.js';
import { compress } from '../../src/store/compress.js';
import { encrypt } from '../../src/store/encrypt.js';
import { encodeArchive } from '../../src/store/id-archive.js';
import { PieceMaker } from '../../src/store/pieces.js';
import { tickMark } from '../../src/store/tick-resolution.js';
import { Transforms, transformsMark } from '../../src/store/transforms.js';
import { blocksOf, document } from './documents.js';

const storeId = Buffer.from('9f86d081884c7d65', 'hex');
const TIME = 1_760_000_000_000;
const place = (position: number): number => placeOf(saltOf(storeId), position);

function record(): Buffer {
  const batch = new Batch();
  batch.begin();
  batch.add(
    Buffer.from('"hello"'),
    encodeMark(Mark.codec, Buffer.from('json')),
    Buffer.from('{"kind":"order"}'),
  );
  const bytes = Buffer.from(batch.bytes.subarray(0, batch.length));
  completeHead(bytes, 0, place(32), 1, TIME, 0);
  return bytes;
}

function carried(): Buffer {
  const batch = new Batch();
  batch.begin();
  batch.add(Buffer.from('"hello"'));
  const { length } = batch;
  batch.carry(
    encodeCarried([
      { from: 3, to: 5 },
      { from: 7, to: 8 },
    ]),
  );
  const bytes = Buffer.from(batch.bytes.subarray(length, batch.length));
  completeHead(bytes, 0, place(32 + record().length), 2, TIME, 0);
  return bytes;
}

const transformedInPieces = (): Transforms => new Transforms([compress(), encrypt(randomBytes(32))]);

function piece(): Buffer {
  const stream = Buffer.from(Array.from({ length: 16 }, (_, at) => at));
  const maker = new PieceMaker(new Transforms([]), 1024, stream);
  maker.add(Buffer.from('hello'));
  return Buffer.concat(maker.seal(true));
}

function entry(): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  writeEntry(bytes, 0, 1, 32, record().length, TIME);
  return bytes;
}

function facts(): Buffer {
  const writer = new FactWriter(HEAD_BYTES);
  writer.begin();
  writer.slotTaken(1, 1, '000102030405060708090a0b0c0d0e0f');
  writer.gone(1, 2);
  writer.gone(5, 8);
  writer.claimed(8, 10, 1, 1, { until: 1_000_000, lengthMs: 30_000 });
  writer.extended(8, { until: 2_000_000, lengthMs: 30_000 });
  writer.released(9);
  writer.attempted(10, 2);
  writer.lost(11, 13);
  writer.freed(1);
  const bytes = Buffer.from(writer.bytes.subarray(0, writer.length));
  writeBodyFields(bytes, 0, bytes.length, FrameKind.facts, FLAG_ENDS_BATCH, 0, 0);
  completeHead(bytes, 0, place(32), 1, TIME, 0);
  return bytes;
}

function jobFacts(): Buffer {
  const writer = new FactWriter(HEAD_BYTES);
  writer.begin();
  const times = { firstFailedAt: TIME - 60_000, lastFailedAt: TIME };
  writer.died(13, { attempts: 5, ...times, reason: 'no such file' });
  writer.putOff(14, TIME + 5000, TIME);
  writer.requeued(15);
  writer.progress(16, Buffer.from('{"done":50}'));
  writer.attemptedSince(17, 2, TIME - 60_000, TIME + 5000);
  return Buffer.from(writer.bytes.subarray(HEAD_BYTES, writer.length));
}

function consumerFacts(): Buffer {
  const writer = new FactWriter(HEAD_BYTES);
  writer.begin();
  writer.consumer('mail', 9, 0);
  writer.consumed('mail', 12);
  writer.consumerRemoved('mail');
  return Buffer.from(writer.bytes.subarray(HEAD_BYTES, writer.length));
}

const seal = (): Buffer =>
  encodeSeal(place(32 + record().length), 2, TIME, 1, {
    count: 1,
    firstTime: TIME,
    lastTime: TIME,
    greatestTime: TIME,
    marked: false,
  });

/** What the code writes, in the order of the document. */
const written: readonly [what: string, bytes: Buffer][] = [
  ['a header', encodeFileHeader(HeaderKind.data, storeId, 1)],
  ['a header of a later epoch', encodeFileHeader(HeaderKind.fates, storeId, 2, 3)],
  [
    'marks of order',
    encodeOrderMarks({ due: TIME + 60_000, priority: 5, front: 0, key: 'ada', id: 'm-1', count: 2 }),
  ],
  ['the mark of a tick', encodeMark(Mark.tick, tickMark('nightly', TIME))],
  ['the mark of transforms', transformsMark('compress,encrypt')],
  ['the mark of pieces', transformedInPieces().markOfPieces],
  ['a piece', piece()],
  ['a record', record()],
  ['what a batch carries', carried()],
  ['a seal', seal()],
  ['an entry', entry()],
  [
    'an archive of ids',
    Buffer.concat([...encodeArchive(storeId, 1, [{ id: 'm-1', index: 1, count: 2, time: TIME }])]),
  ],
  ['facts', facts()],
  ['facts of jobs', jobFacts()],
  ['facts of consumers', consumerFacts()],
];

t.test('the bytes in the document are those that are written', async (t) => {
  const blocks = blocksOf(document('docs/format.md'));
  const hex = blocks.filter(({ language }) => language === 'hex');
  t.equal(hex.length, written.length);
  for (const [at, [what, bytes]] of written.entries()) {
    const shown = (hex[at]?.text ?? '').replace(/#.*$/gm, '').replaceAll(/\s/g, '');
    t.equal(shown, bytes.toString('hex'), what);
  }
});

t.test('the lines in the document are those that are written', async (t) => {
  const lines = blocksOf(document('docs/format.md'))
    .filter(({ language }) => language === 'json')
    .map(({ text }) => text);
  const takeover = {
    epoch: 2,
    next: 4,
    segment: { first: 1, end: 164 },
    fact: 1,
    journal: { number: 2, end: 81 },
  };
  t.same(lines, [
    encodeFormatLine({ locking: 'os', id: storeId.toString('hex') }).toString(),
    encodeTakeovers(storeId, [takeover]).toString(),
  ]);
});
