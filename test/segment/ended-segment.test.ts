/** A segment that a take-over has ended, or of an epoch before it: nothing is ever written to it again. */
import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { Epochs } from '../../src/epoch/epochs.js';
import { createFence } from '../../src/epoch/fence.js';
import { Appender } from '../../src/segment/appender.js';
import { Batch } from '../../src/segment/batch.js';
import { recoverSegments } from '../../src/segment/recovery.js';
import { SegmentFiles } from '../../src/segment/segment-files.js';
import { Tail } from '../../src/segment/tail.js';
import { fileOf } from '../store/records.js';

const names = new FileNames('/q', 'duro');
const storeId = Buffer.from('0123456789abcdef', 'hex');
const PAYLOAD = 100;
const OLD = names.data(4);

/** An opener of the segments, on a disk of its own. */
function opener(machine: MemoryDisk) {
  const disk = machine.opener();
  disk.makeDirectory(names.directory);
  const files = new SegmentFiles(disk, names, storeId, new Epochs(disk, names, storeId, true));
  const tail = new Tail(files);
  const appender = new Appender(files, tail, fileOf(3, PAYLOAD), { mayLoseLock: false, isAlone: false });
  const write = (): number => {
    const batch = new Batch();
    batch.begin();
    batch.add(new Uint8Array(PAYLOAD));
    appender.catchUp();
    const [group] = batch.groups;
    if (group === undefined || !appender.fits(group.end - group.start)) appender.roll(1);
    return appender.append(batch, 0, 1, 1, false);
  };
  return { disk, files, tail, appender, write };
}

/**
 * Five records in two segments; a take-over has ended the second one behind them, and the next index is 8. Behind the cut
 * stands what its last writer wrote after it had slept: a sixth record, which says that the five are safe.
 */
function takenOver(): { machine: MemoryDisk; cut: number; slept: Buffer } {
  const machine = new MemoryDisk();
  const { disk, files, tail, write } = opener(machine);
  for (let index = 1; index <= 5; index++) write();
  for (const first of tail.segments) files.data(first)?.syncNow();
  disk.syncDirectoryNow('/q');
  const { end } = tail;
  const before = machine.bytes(OLD) ?? new Uint8Array();
  tail.sawSafe(5);
  write();
  const slept = Buffer.from(machine.bytes(OLD) ?? []).subarray(end);
  machine.put(OLD, before);
  const takeover = {
    epoch: createFence(disk, names),
    next: 8,
    segment: { first: 4, end },
    fact: 0,
    journal: { number: 2, end: 32 },
  };
  files.epochs.publish(takeover, { segment: 1, journal: 1 });
  machine.kill(disk);
  return { machine, cut: end, slept };
}

t.test('what was found of it', async (t) => {
  const found = {
    'what the take-over saw': () => {},
    'half a frame of a sleeper behind the cut': (machine: MemoryDisk, cut: number) =>
      void machine.opener().open(OLD, 'write')?.write(Buffer.alloc(50, 7), 0, 50, cut),
    'less than the take-over saw': (machine: MemoryDisk, cut: number) =>
      machine
        .opener()
        .open(OLD, 'write')
        ?.truncate(cut - PAYLOAD - 36),
    'half of its last frame': (machine: MemoryDisk, cut: number) =>
      machine
        .opener()
        .open(OLD, 'write')
        ?.truncate(cut - 20),
    'damage before the cut, and a whole frame behind it': (
      machine: MemoryDisk,
      cut: number,
      slept: Buffer,
    ) => {
      machine.opener().open(OLD, 'write')?.write(slept, 0, slept.length, cut);
      machine.flip(OLD, cut - 1);
    },
    'not even its header': (machine: MemoryDisk) => machine.opener().open(OLD, 'write')?.truncate(0),
  };
  const lostFrom = new Map([
    ['less than the take-over saw', 5],
    ['half of its last frame', 5],
    ['damage before the cut, and a whole frame behind it', 5],
    ['not even its header', 4],
  ]);
  for (const [what, change] of Object.entries(found)) {
    for (const begun of [false, true]) {
      const { machine, cut, slept } = takenOver();
      change(machine, cut, slept);
      const entries = names.entries(4);
      machine.opener().unlink(entries);
      if (begun) {
        const { files } = opener(machine);
        files.create(8);
      }
      const before = Buffer.from(machine.bytes(OLD) ?? []);
      const next = opener(machine);
      const lost = recoverSegments(next.files, next.tail, next.appender, 1);
      t.same(lost, [{ from: lostFrom.get(what) ?? 6, to: 8 }], `${what}: what is missing is lost`);
      t.equal(next.write(), 8, 'and the log goes on in the next epoch');
      t.equal(next.write(), 9);
      t.ok(before.equals(Buffer.from(machine.bytes(OLD) ?? [])), 'not a byte of it was changed');
      t.notOk(machine.bytes(entries), 'nor are entries made for it');
      t.ok(machine.bytes(names.data(8, 1)), 'the next one is of the new epoch');
      const later = opener(machine);
      later.tail.open();
      t.equal(later.write(), 10, 'whoever comes later goes on there');
    }
  }
});

t.test('who lags behind the take-over writes behind it', async (t) => {
  const { machine } = takenOver();
  const lagging = opener(machine);
  lagging.tail.segments.reset([1, 4]);
  lagging.tail.enter(4);
  const before = Buffer.from(machine.bytes(OLD) ?? []);
  t.equal(lagging.write(), 8);
  t.ok(before.equals(Buffer.from(machine.bytes(OLD) ?? [])), 'not a byte of it was changed');
});
