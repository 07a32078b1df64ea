import { basename } from 'node:path';
import t from 'tap';
import type { Finding } from '../../src/care/report.js';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { Epochs } from '../../src/epoch/epochs.js';
import { encodeTakeovers } from '../../src/epoch/takeover.js';
import { encodeFileHeader, HeaderKind } from '../../src/frame/file-header.js';
import { completeHead, FLAG_ENDS_BATCH, FrameKind, placeOf, writeBodyFields } from '../../src/frame/frame.js';
import { Fates } from '../../src/journal/fates.js';
import { bareFrame, writeSuccessor } from '../../src/journal/successor.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { SegmentFiles } from '../../src/segment/segment-files.js';
import { SparseSuccessor } from '../../src/segment/sparse-successor.js';
import { openStoreOn } from '../../src/store/store.js';
import { bytes, fileOf, range } from '../store/records.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { summedAnew } from '../support/format-line.js';
import { Craft } from './craft.js';
import {
  DIRECTORY,
  data,
  entries,
  FRAME,
  fill,
  frameAt,
  JOURNAL,
  leave,
  OPTIONS,
  open,
  payload,
  repaired,
  verified,
} from './store.js';

const ONE = data(1);
const FIVE = data(5);
const NINE = data(9);
const SEAL = 76;
const FACT = 49;
/** Where the records of a full segment end. */
const FULL = frameAt(4) + FRAME;

type Told = readonly [
  severity: Finding['severity'],
  file: string,
  position: number,
  bytes: number,
  indexes: string,
  what: string,
];

/** A finding as one line; `repaired` only where it is. */
const line = ({
  severity,
  file,
  position,
  bytes: length,
  indexes,
  what,
  repaired: done,
}: Finding): unknown[] => [
  severity,
  basename(file),
  position,
  length,
  indexes === undefined ? '' : `${indexes.from}-${indexes.to}`,
  what,
  ...(done ? ['repaired'] : []),
];

interface Case {
  readonly what: string;
  readonly make: (machine: MemoryDisk) => Promise<void>;
  readonly harm: (craft: Craft) => void | Promise<void>;
  readonly told: readonly Told[];
  readonly records: number;
  /** Whether a repair does anything about it. Default: where there is damage or loss. */
  readonly mended?: boolean;
}

/** A journal that was succeeded once: the first is still there. */
async function succeed(machine: MemoryDisk): Promise<void> {
  await fill(machine);
  const craft = new Craft(machine);
  const fates = new Fates('');
  fates.gone(2, 3);
  fates.gone(6, 7);
  const end = 32 + 2 * FACT;
  craft.append(JOURNAL, bareFrame(FrameKind.continues, placeOf(craft.salt, end), 2, 1, 2), end);
  craft.remove(`${DIRECTORY}/duro.fate.2`);
  const opener = machine.opener();
  const file = opener.create(`${DIRECTORY}/duro.fate.2`);
  if (file === undefined) throw new Error('it is there');
  const header = encodeFileHeader(HeaderKind.fates, craft.storeId, 2);
  writeSuccessor(file, header, craft.salt, 1, fates, 2, 1);
  machine.kill(opener);
}

/** Ten records of which none was ever synced, by frames that say so. */
async function unsynced(machine: MemoryDisk): Promise<void> {
  await fill(machine);
  const craft = new Craft(machine);
  craft.segment(1, [1, 2, 3, 4], { next: 5 });
  craft.segment(5, [5, 6, 7, 8], { next: 9 });
  craft.segment(9, [9, 10]);
  for (const first of [1, 5, 9]) craft.remove(entries(first));
}

/** The second segment has a sparse successor, with 5 and 8. */
async function thin(machine: MemoryDisk): Promise<void> {
  await fill(machine);
  const store = await open(machine);
  await store.delete(7);
  await store.close();
  const opener = machine.opener();
  const names = new FileNames(DIRECTORY, 'duro');
  const { storeId } = new Craft(machine);
  const files = new SegmentFiles(opener, names, storeId, new Epochs(opener, names, storeId, false));
  const successor = await SparseSuccessor.draft(files, 5, [5, 8]);
  if (!successor?.publish()) throw new Error('no successor');
  successor.close();
  machine.kill(opener);
}

/** The same, and what it succeeded is gone. */
async function thinned(machine: MemoryDisk): Promise<void> {
  await thin(machine);
  const craft = new Craft(machine);
  craft.remove(FIVE);
  craft.remove(entries(5));
}

const SPARSE = FIVE.replace('.dat', '.1.dat');
const SPARSE_ENTRIES = entries(5).replace('.idx', '.1.idx');
const SUCCEEDED =
  'a file of a segment that has a sparse successor, or was to have one: the next opener removes it';

const NO_ENTRIES = 'the entries of the segment are missing: reading costs a search';
const withoutEntries = (...segments: readonly [number, string][]): Told[] =>
  segments.map(([first, indexes]) => ['note', basename(entries(first)), 0, 0, indexes, NO_ENTRIES]);

const SEGMENT_HEADER =
  'the header of the segment is damaged or belongs to another store: the store does not open';
const HOLE = 'bytes in the midst of whole ones fail their checksums';
const UNSAFE_HOLE =
  'bytes that were only written are not whole: the next opener cuts here, and drops what is behind';

const cases: readonly Case[] = [
  { what: 'nothing', make: fill, harm: () => {}, told: [], records: 8 },
  {
    what: 'the id of the meta is another',
    make: fill,
    harm: (craft) => {
      const path = `${DIRECTORY}/duro.meta`;
      const id = craft.storeId.toString('hex');
      craft.put(path, summedAnew(craft.bytes(path).toString().replace(id, '0123456789abcdef')));
    },
    told: [
      [
        'damage',
        'duro.meta',
        0,
        0,
        '',
        'the id in it is not that of the files beside it, which agree on another: nothing more was looked at',
      ],
    ],
    records: 0,
    mended: false,
  },
  {
    what: 'the journal is missing',
    make: fill,
    harm: (craft) => {
      craft.remove(JOURNAL);
      craft.remove(`${DIRECTORY}/duro.fate.2`);
    },
    told: [
      [
        'damage',
        'duro.fate.1',
        0,
        0,
        '',
        'the journal of fates is missing: the store does not open, and after a repair records that were deleted may be back',
      ],
    ],
    records: 10,
  },
  {
    what: 'the journal that another is continued in is missing',
    make: succeed,
    harm: (craft) => craft.remove(`${DIRECTORY}/duro.fate.2`),
    told: [
      [
        'damage',
        'duro.fate.2',
        0,
        0,
        '',
        'the journal of fates is missing: the store does not open, and after a repair records that were deleted may be back',
      ],
    ],
    records: 8,
  },
  {
    what: 'a journal that was succeeded is still there',
    make: succeed,
    harm: () => {},
    told: [],
    records: 8,
  },
  {
    what: 'the header of a journal',
    make: fill,
    harm: ({ machine }) => machine.flip(JOURNAL, 3),
    told: [
      [
        'damage',
        'duro.fate.1',
        0,
        32,
        '',
        'the header of the journal is damaged or belongs to another store: the store does not open',
      ],
    ],
    records: 8,
  },
  {
    what: 'a fact that was synced',
    make: fill,
    harm: ({ machine }) => machine.flip(JOURNAL, 40),
    told: [
      [
        'damage',
        'duro.fate.1',
        32,
        FACT,
        '',
        'facts are damaged, and others follow: the store does not open',
      ],
    ],
    records: 9,
  },
  {
    what: 'a fact that was only written',
    async make(machine) {
      const opener = machine.opener();
      const queue = await openQueueOn<string>(opener, OPTIONS);
      await queue.enqueueMany(['one', 'two', 'three'], { durability: 'written' });
      await queue.claim();
      await queue.claim();
      machine.kill(opener);
    },
    harm: ({ machine }) => machine.flip(JOURNAL, 40),
    told: [
      [
        'loss',
        'duro.fate.1',
        32,
        36 + 25 + 35,
        '',
        'facts that were only written are not whole: the next opener cuts here, and drops those behind',
      ],
    ],
    records: 3,
  },
  {
    what: 'the last fact',
    make: fill,
    harm: ({ machine }) => machine.flip(JOURNAL, 32 + FACT),
    told: [['note', 'duro.fate.1', 32 + FACT, FACT - 5, '', 'an unfinished fact: the next opener cuts it']],
    records: 9,
  },
  {
    what: 'the state of a journal',
    make: succeed,
    harm: ({ machine }) => machine.flip(`${DIRECTORY}/duro.fate.2`, 32 + 36),
    told: [
      [
        'damage',
        'duro.fate.2',
        32 + 36,
        36 + 13 + 3,
        '',
        'the state at the beginning of the journal is damaged: the store does not open',
      ],
    ],
    records: 8,
  },
  {
    what: 'a state that is not whole to its end',
    make: succeed,
    harm: (craft) => {
      const path = `${DIRECTORY}/duro.fate.2`;
      craft.cut(path, craft.bytes(path).length - 10);
    },
    told: [
      [
        'damage',
        'duro.fate.2',
        32 + 36 + 36 + 13 + 3,
        21,
        '',
        'the state at the beginning of the journal is damaged: the store does not open',
      ],
    ],
    records: 8,
  },
  {
    what: 'a fact that is longer than its frame',
    make: fill,
    harm: (craft) => {
      const frame = Buffer.alloc(40);
      frame[36] = 1;
      writeBodyFields(frame, 0, 40, FrameKind.facts, FLAG_ENDS_BATCH, 0, 0);
      completeHead(frame, 0, placeOf(craft.salt, 32 + 2 * FACT), 3, 1, 2);
      craft.append(JOURNAL, frame, 32 + 2 * FACT);
    },
    told: [
      [
        'damage',
        'duro.fate.1',
        32 + 2 * FACT,
        40,
        '',
        'a fact does not end where its frame does: the store does not open, and is not repaired',
      ],
    ],
    records: 8,
    mended: false,
  },
  {
    what: 'bytes behind the mark of a succession',
    make: succeed,
    harm: (craft) => craft.append(JOURNAL, bytes('something')),
    told: [
      [
        'note',
        'duro.fate.1',
        32 + 2 * FACT + 36,
        9,
        '',
        'bytes behind the end of a journal that was succeeded: they count for nothing',
      ],
    ],
    records: 8,
  },
  {
    what: 'a successor that was not finished',
    make: fill,
    harm: (craft) =>
      craft.put(`${DIRECTORY}/duro.fate.2`, encodeFileHeader(HeaderKind.fates, craft.storeId, 2)),
    told: [
      [
        'note',
        'duro.fate.2',
        0,
        32,
        '',
        'a journal that no mark leads to, a successor that was not finished perhaps: it counts for nothing',
      ],
    ],
    records: 8,
  },
  {
    what: 'the header of a segment',
    make: fill,
    harm: ({ machine }) => machine.flip(FIVE, 20),
    told: [['damage', basename(FIVE), 0, 32, '5-8', SEGMENT_HEADER]],
    records: 8,
  },
  {
    what: 'the header of a segment that was only written',
    make: leave,
    harm: ({ machine }) => machine.flip(FIVE, 20),
    told: [
      [
        'loss',
        basename(FIVE),
        0,
        32,
        '5-8',
        'the header of the segment is damaged, and nothing says that its records were synced: the next opener sets them aside',
      ],
    ],
    records: 8,
  },
  {
    what: 'a segment of another store',
    make: fill,
    harm: (craft) => {
      const other = Buffer.alloc(8, 7);
      const stranger = Buffer.concat([encodeFileHeader(HeaderKind.data, other, 5), Buffer.alloc(100, 1)]);
      craft.put(FIVE, stranger);
      craft.remove(entries(5));
    },
    told: [
      ['damage', basename(FIVE), 0, 132, '', SEGMENT_HEADER],
      ['damage', basename(FIVE), 32, 100, '5-8', 'the segment ends before the next one begins'],
    ],
    records: 5,
  },
  {
    what: 'a segment that was begun',
    make: fill,
    harm: (craft) => {
      craft.append(NINE, craft.seal(32 + 2 * FRAME, 2, 11, 10), 32 + 2 * FRAME);
      craft.put(data(11), new Uint8Array(0));
    },
    told: [
      [
        'note',
        basename(data(11)),
        0,
        0,
        '',
        'a segment that was begun and has no header: the next opener completes it',
      ],
    ],
    records: 8,
  },
  {
    what: 'a record',
    make: fill,
    harm: ({ machine }) => machine.flip(ONE, frameAt(3) + 40),
    told: [['damage', basename(ONE), frameAt(3), FRAME, '3-3', HOLE]],
    records: 7,
  },
  {
    what: 'two records in a row, and one more',
    make: fill,
    harm: ({ machine }) => {
      machine.flip(FIVE, frameAt(7) + 20);
      machine.flip(FIVE, frameAt(8) + 50);
      machine.flip(FIVE, frameAt(5) + 1);
    },
    told: [
      ['damage', basename(FIVE), frameAt(5), FRAME, '5-5', HOLE],
      ['damage', basename(FIVE), frameAt(7), 2 * FRAME, '7-8', HOLE],
    ],
    records: 5,
  },
  {
    what: 'a record that is gone',
    make: fill,
    harm: ({ machine }) => machine.flip(ONE, frameAt(2)),
    told: [['note', basename(ONE), frameAt(2), FRAME, '2-2', 'damaged bytes of records that are gone']],
    records: 8,
  },
  {
    what: 'a record that was only written',
    make: leave,
    harm: ({ machine }) => machine.flip(NINE, frameAt(9) + 2),
    told: [['loss', basename(NINE), frameAt(9), FRAME, '9-9', UNSAFE_HOLE]],
    records: 7,
  },
  {
    what: 'zeros in the midst of records',
    make: fill,
    harm: (craft) => {
      const content = craft.bytes(ONE);
      content.fill(0, frameAt(3), frameAt(4));
      craft.put(ONE, content);
    },
    told: [['damage', basename(ONE), frameAt(3), FRAME, '3-3', HOLE]],
    records: 7,
  },
  {
    what: 'the mark of a clean close, with records behind it',
    async make(machine) {
      await fill(machine);
      const opener = machine.opener();
      const store = await openStoreOn(opener, OPTIONS);
      await store.write(bytes('one more'));
      machine.kill(opener);
    },
    harm: ({ machine }) => machine.flip(NINE, frameAt(11)),
    told: [['loss', basename(NINE), frameAt(11), 36, '', UNSAFE_HOLE]],
    records: 9,
  },
  {
    what: 'an index that is there again, where another should be',
    make: fill,
    harm: (craft) => {
      const content = craft.bytes(ONE);
      craft.record(frameAt(3), 2).copy(content, frameAt(3));
      craft.put(ONE, content);
    },
    told: [['damage', basename(ONE), frameAt(3), FRAME, '3-3', HOLE]],
    records: 7,
  },
  {
    what: 'an unfinished batch',
    make: fill,
    harm: (craft) => craft.append(NINE, bytes('half of it')),
    told: [
      ['note', basename(NINE), frameAt(11) + 36, 10, '', 'an unfinished batch: the next opener cuts it'],
    ],
    records: 8,
  },
  {
    what: 'a segment that was synced is missing',
    make: fill,
    harm: (craft) => {
      craft.remove(FIVE);
      craft.remove(entries(5));
    },
    told: [['damage', basename(FIVE), 0, 0, '5-8', 'a segment is missing']],
    records: 5,
  },
  {
    what: 'a segment that was only written is missing',
    make: unsynced,
    harm: (craft) => craft.remove(FIVE),
    told: [
      ...withoutEntries([1, '1-4']),
      ['loss', basename(FIVE), 0, 0, '5-8', 'a segment is missing'],
      ...withoutEntries([9, '9-10']),
    ],
    records: 5,
  },
  {
    what: 'the first segment is missing, all but its entries',
    make: fill,
    harm: (craft) => craft.remove(ONE),
    told: [
      ['damage', basename(ONE), 0, 0, '1-4', 'a segment is missing'],
      [
        'note',
        basename(entries(1)),
        0,
        160,
        '',
        'entries without their data file: the next opener removes them',
      ],
    ],
    records: 5,
  },
  {
    what: 'the last segment is missing, all but its entries',
    make: fill,
    harm: (craft) => craft.remove(NINE),
    told: [
      [
        'note',
        basename(FIVE),
        0,
        0,
        '',
        'a sealed segment without its successor: the next opener creates it',
      ],
      ['loss', basename(NINE), 0, 2 * FRAME, '9-10', 'a segment is missing whose records its entries name'],
    ],
    records: 6,
  },
  {
    what: 'a segment all of whose records are gone',
    async make(machine) {
      await fill(machine);
      const craft = new Craft(machine);
      const content = craft.bytes(FIVE);
      const store = await open(machine);
      await store.delete([5, 7, 8]);
      await store.close();
      craft.put(FIVE, content);
    },
    harm: () => {},
    told: [
      [
        'note',
        basename(FIVE),
        0,
        312,
        '',
        'a segment all of whose records are gone: the next opener removes it',
      ],
    ],
    records: 5,
  },
  {
    what: 'the end of a segment that was synced',
    make: fill,
    harm: (craft) => craft.cut(ONE, frameAt(3) + 5),
    told: [
      ['damage', basename(ONE), frameAt(3), 5, '3-4', 'the segment ends before the next one begins'],
      [
        'note',
        basename(entries(1)),
        96,
        64,
        '',
        '2 of the entries are missing or odd: reading those records costs a search',
      ],
    ],
    records: 6,
  },
  {
    what: 'the end of a segment that was only written',
    make: unsynced,
    harm: (craft) => craft.cut(ONE, frameAt(3)),
    told: [
      ['loss', basename(ONE), frameAt(3), 0, '3-4', 'the segment ends before the next one begins'],
      ...withoutEntries([1, '1-2'], [5, '5-8'], [9, '9-10']),
    ],
    records: 6,
  },
  {
    what: 'a seal that was synced',
    make: fill,
    harm: ({ machine }) => machine.flip(ONE, FULL + 1),
    told: [
      [
        'damage',
        basename(ONE),
        FULL,
        SEAL - 16,
        '',
        'the seal at the end of the segment is damaged or missing',
      ],
    ],
    records: 8,
  },
  {
    what: 'a seal that was only written',
    make: unsynced,
    harm: (craft) => craft.cut(ONE, FULL),
    told: [
      [
        'note',
        basename(ONE),
        FULL,
        0,
        '',
        'a segment that is not sealed, before another: the next opener seals it',
      ],
      ...withoutEntries([1, '1-4'], [5, '5-8'], [9, '9-10']),
    ],
    records: 8,
  },
  {
    what: 'bytes behind a seal',
    make: fill,
    harm: (craft) => craft.append(ONE, bytes('something')),
    told: [['note', basename(ONE), FULL + SEAL, 9, '', 'bytes behind the seal: they count for nothing']],
    records: 8,
  },
  {
    what: 'a seal over a gap that no fact tells of',
    make: unsynced,
    harm: (craft) => craft.segment(1, [1, 2, 3], { next: 5 }),
    told: [
      [
        'loss',
        basename(ONE),
        frameAt(4) + SEAL,
        0,
        '4-4',
        'the segment goes on further than its records reach',
      ],
      ...withoutEntries([1, '1-3'], [5, '5-8'], [9, '9-10']),
    ],
    records: 7,
  },
  {
    what: 'a sealed segment without its successor',
    make: unsynced,
    harm: (craft) => craft.segment(9, [9, 10, 11, 12], { next: 13 }),
    told: [
      ...withoutEntries([1, '1-4'], [5, '5-8']),
      [
        'note',
        basename(NINE),
        0,
        0,
        '',
        'a sealed segment without its successor: the next opener creates it',
      ],
      ...withoutEntries([9, '9-12']),
    ],
    records: 10,
  },
  {
    what: 'missing entries',
    make: fill,
    harm: (craft) => craft.remove(entries(5)),
    told: withoutEntries([5, '5-8']),
    records: 8,
  },
  {
    what: 'odd entries',
    make: fill,
    harm: ({ machine }) => {
      machine.flip(entries(5), 32 + 32 + 8);
      machine.flip(entries(5), 32 + 96 + 31);
    },
    told: [
      [
        'note',
        basename(entries(5)),
        64,
        64,
        '',
        '2 of the entries are missing or odd: reading those records costs a search',
      ],
    ],
    records: 8,
  },
  {
    what: 'entries of records that are not there',
    make: fill,
    harm: (craft) => craft.cut(NINE, frameAt(10)),
    told: [
      ['loss', basename(NINE), frameAt(10), FRAME, '10-10', '1 records that the entries name are not there'],
    ],
    records: 7,
  },
  {
    what: 'entries of records that were lost, and that facts tell of',
    async make(machine) {
      await leave(machine);
      new Craft(machine).cut(NINE, 32);
      await repaired(machine);
      const craft = new Craft(machine);
      craft.put(
        entries(9),
        Buffer.concat([craft.bytes(entries(9)), craft.bytes(entries(5)).subarray(32, 33)]),
      );
    },
    harm: () => {},
    told: [
      ['loss', 'duro.fate.1', 0, 0, '9-10', 'records were lost, and facts say so'],
      [
        'note',
        basename(entries(9)),
        32,
        32,
        '',
        '1 of the entries are missing or odd: reading those records costs a search',
      ],
    ],
    records: 6,
  },
  {
    what: 'facts that name records that are not there',
    async make(machine) {
      const opener = machine.opener();
      const queue = await openQueueOn<string>(opener, OPTIONS);
      await queue.enqueueMany(['one', 'two', 'three'], { durability: 'written' });
      await queue.claimMany(3);
      machine.kill(opener);
    },
    harm: (craft) => {
      craft.cut(ONE, 32);
      craft.remove(entries(1));
    },
    told: [['loss', 'duro.fate.1', 0, 0, '1-3', 'records that facts name are not there']],
    records: 0,
  },
  {
    what: 'segments that overlap',
    make: unsynced,
    harm: (craft) => craft.segment(4, [4, 5, 6], { next: 7 }),
    told: [
      ...withoutEntries([1, '1-4']),
      ['damage', basename(data(4)), 0, 0, '4-4', 'the segment begins before the one before it ends'],
      ...withoutEntries([4, '4-6']),
      ['damage', basename(FIVE), 0, 0, '5-5', 'the segment begins before the one before it ends'],
      ...withoutEntries([5, '5-8'], [9, '9-10']),
    ],
    records: 8,
  },
  {
    what: 'segments that overlap in what is gone',
    make: unsynced,
    harm: (craft) => {
      craft.segment(2, [2, 3, 4], { next: 5 });
      craft.segment(1, [1, 2], { next: 3 });
    },
    told: [
      ...withoutEntries([1, '1-2']),
      ['note', basename(data(2)), 0, 0, '2-2', 'the segment begins before the one before it ends'],
      ...withoutEntries([2, '2-4'], [5, '5-8'], [9, '9-10']),
    ],
    records: 8,
  },
  {
    what: 'files that others left',
    make: fill,
    harm: (craft) => {
      craft.put(`${DIRECTORY}/duro.suspect`, new Uint8Array(0));
      craft.put(`${DIRECTORY}/duro.cut.1-83-1`, bytes('it was cut'));
      craft.put(`${DIRECTORY}/duro.repair.1/duro.fate.1.0`, bytes('it was repaired'));
      craft.put(`${DIRECTORY}/duro.tmp.0a1b`, bytes('meta'));
      craft.put(`${DIRECTORY}/duro.txt`, bytes('notes'));
      craft.put(`${DIRECTORY}/duro_0.dat`, bytes('data'));
      craft.put(`${DIRECTORY}/duro_two.meta`, bytes("another store's"));
      craft.put(`${DIRECTORY}/duro_two.fate.1`, bytes("another store's"));
      craft.put(`${DIRECTORY}/README`, bytes("nobody's"));
    },
    told: [
      ['note', 'duro.cut.1-83-1', 0, 10, '', 'bytes that were cut from an unfinished end and set aside'],
      ['note', 'duro.repair.1', 0, 0, '', 'bytes that a repair set aside'],
      [
        'note',
        'duro.suspect',
        0,
        0,
        '',
        'a sync failed here: the next opener writes again what may not be on the device',
      ],
      [
        'note',
        'duro.tmp.0a1b',
        0,
        4,
        '',
        'a file that somebody who died was making: the next opener removes it',
      ],
      ['note', 'duro.txt', 0, 5, '', 'a file that no store has'],
      ['note', 'duro_0.dat', 0, 4, '', 'a file that no store has'],
    ],
    records: 8,
  },
  { what: 'a sparse segment', make: thinned, harm: () => {}, told: [], records: 7 },
  {
    what: 'a sparse segment beside what it succeeds',
    make: thin,
    harm: (craft) => craft.put(SPARSE_ENTRIES.replace('.1.', '.2.'), bytes('entries')),
    told: [
      ['note', basename(SPARSE_ENTRIES).replace('.1.', '.2.'), 0, 7, '', SUCCEEDED],
      ['note', basename(FIVE), 0, 312, '', SUCCEEDED],
      ['note', basename(entries(5)), 0, 160, '', SUCCEEDED],
    ],
    records: 7,
  },
  {
    what: 'a record of a sparse segment',
    make: thinned,
    harm: ({ machine }) => machine.flip(SPARSE, frameAt(6) + 40),
    told: [['damage', basename(SPARSE), frameAt(6), FRAME, '8-8', HOLE]],
    records: 6,
  },
  {
    what: 'the first record of a sparse segment, and its header',
    make: thinned,
    harm: ({ machine }) => {
      machine.flip(SPARSE, 5 + 32);
      machine.flip(SPARSE, 5);
    },
    told: [
      ['damage', basename(SPARSE), 0, 32, '5-8', SEGMENT_HEADER],
      ['damage', basename(SPARSE), 32, FRAME, '5-5', HOLE],
    ],
    records: 6,
  },
  {
    what: 'the seal of a sparse segment',
    make: thinned,
    harm: ({ machine }) => machine.flip(SPARSE, frameAt(7) + 3),
    told: [
      [
        'damage',
        basename(SPARSE),
        frameAt(7),
        60,
        '',
        'the seal at the end of the segment is damaged or missing',
      ],
    ],
    records: 7,
  },
  {
    what: 'the entries of a sparse segment, one odd and one missing',
    make: thinned,
    harm: (craft) => {
      craft.machine.flip(SPARSE_ENTRIES, 40);
      craft.cut(SPARSE_ENTRIES, 70);
    },
    told: [
      [
        'note',
        basename(SPARSE_ENTRIES),
        32,
        64,
        '',
        '2 of the entries are missing or odd: reading those records costs a search',
      ],
    ],
    records: 7,
  },
  {
    what: 'the facts that say why a sparse segment does not hold a record',
    make: thinned,
    harm: (craft) => {
      const gone = 32 + FACT;
      const content = craft.bytes(JOURNAL);
      // The fact says that 1 is gone now, and not 6.
      content.writeUInt8(1, gone + 36 + 1);
      content.writeUInt8(2, gone + 36 + 7);
      writeBodyFields(content.subarray(gone), 0, FACT, FrameKind.facts, FLAG_ENDS_BATCH, 0, 0);
      completeHead(content.subarray(gone), 0, placeOf(craft.salt, gone), 2, 1, 1);
      craft.put(JOURNAL, content);
    },
    told: [
      [
        'damage',
        basename(SPARSE),
        0,
        0,
        '6-6',
        'a sparse segment does not hold records that no fact calls gone',
      ],
    ],
    records: 6,
  },
  {
    what: 'a take-over in lock-file mode, and what a sleeper wrote behind it',
    make: fill,
    async harm(craft) {
      const { machine, storeId, salt } = craft;
      const meta = `${DIRECTORY}/duro.meta`;
      craft.put(meta, summedAnew(craft.bytes(meta).toString().replace('"os"', '"lockfile"')));
      const takeover = {
        epoch: 1,
        next: 10,
        segment: { first: 9, end: frameAt(10) },
        fact: 1,
        journal: { number: 2, end: 32 + FACT },
      };
      craft.put(`${DIRECTORY}/duro.epoch.1`, new Uint8Array(0));
      craft.put(`${DIRECTORY}/duro.takeover.1`, encodeTakeovers(storeId, [takeover]));
      craft.put(
        data(10).replace('.dat', '.e1.dat'),
        Buffer.concat([encodeFileHeader(HeaderKind.data, storeId, 10, 1), craft.record(32, 10)]),
      );
      craft.put(data(10), encodeFileHeader(HeaderKind.data, storeId, 10));
      const fates = new Fates('');
      fates.gone(2, 3);
      const opener = machine.opener();
      const journal = opener.create(`${DIRECTORY}/duro.fate.2.e1`);
      if (journal === undefined) throw new Error('it is there');
      writeSuccessor(journal, encodeFileHeader(HeaderKind.fates, storeId, 2, 1), salt, 1, fates, 1, 1);
      machine.kill(opener);
    },
    told: [
      [
        'note',
        'duro.fate.1',
        32 + FACT,
        FACT - 5,
        '',
        'bytes behind the end of a journal that was succeeded: they count for nothing',
      ],
      [
        'note',
        basename(NINE),
        frameAt(10),
        FRAME + 36,
        '',
        'bytes behind the end that a take-over made: they count for nothing',
      ],
      [
        'note',
        basename(entries(9)),
        64,
        32,
        '',
        '1 of the entries are missing or odd: reading those records costs a search',
      ],
      ['note', basename(entries(10)).replace('.idx', '.e1.idx'), 0, 0, '10-10', NO_ENTRIES],
      ['note', 'duro.fate.2', 0, 65536, '', 'a file that a take-over has superseded: it counts for nothing'],
      [
        'note',
        basename(data(10)),
        0,
        32,
        '',
        'a file that a take-over has superseded: it counts for nothing',
      ],
    ],
    records: 9,
    mended: false,
  },
];

/** Notes that a repair does something about. */
const MENDED_NOTE =
  /^the entries of the segment are missing|of the entries are missing or odd|^damaged bytes of records that are gone|^a segment that is not sealed/;

for (const { what, make, harm, told, records, mended } of cases) {
  t.test(`verify tells of it, and repair mends it: ${what}`, async (t) => {
    const machine = new MemoryDisk();
    await make(machine);
    const craft = new Craft(machine);
    await harm(craft);
    const report = await verified(t, machine);
    t.same(
      report.findings
        .filter(({ repaired: done }) => !done || told[0]?.[5].includes('facts say so'))
        .map(line),
      told.map((one) => (one[5].includes('facts say so') ? [...one, 'repaired'] : one)),
    );
    t.equal(report.records, records);
    const isSerious = told.some(
      ([severity, , , , , text]) => severity !== 'note' && !text.includes('facts say so'),
    );
    t.equal(report.ok, !isSerious);
    if (craft.bytes(`${DIRECTORY}/duro.meta`).includes('lockfile')) return;
    const before = machine.snapshot();
    const after = await repaired(machine);
    if (mended ?? (isSerious || told.some(([, , , , , text]) => MENDED_NOTE.test(text)))) {
      t.ok(after.ok, `it is repaired: ${JSON.stringify(after.findings)}`);
      t.ok((await verified(t, machine)).ok);
      const store = await openStoreOn(machine.opener(), OPTIONS);
      t.equal(await store.length(), records, 'what was whole is there');
      for await (const { index, data: found } of store.entries())
        if (Buffer.from(found).toString().startsWith('payload'))
          t.equal(Buffer.from(found).toString(), payload(index));
      await store.close();
      t.same(checkDirectoryOn(machine.opener(), DIRECTORY), [], 'and it is sound');
    } else {
      t.same(after, report, 'nothing is to be repaired');
      t.same(machine.snapshot(), before, 'and nothing was changed');
    }
  });
}

t.test('the cases fit the store that they are made from', async (t) => {
  t.equal(OPTIONS.maxFileSize, fileOf(4, 15));
  t.same(range(1, 4).map(frameAt), [32, 83, 134, 185]);
});
