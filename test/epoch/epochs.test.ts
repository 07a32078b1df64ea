import t from 'tap';
import type { Disk } from '../../src/disk/disk.js';
import { FileNames } from '../../src/disk/file-names.js';
import { encodeFormatLine } from '../../src/disk/format-line.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind } from '../../src/disk/memory-fault.js';
import { Epochs } from '../../src/epoch/epochs.js';
import { createFence, highestFence } from '../../src/epoch/fence.js';
import { decodeTakeovers, encodeTakeovers, type Takeover } from '../../src/epoch/takeover.js';

const directory = '/store';
const names = new FileNames(directory, 'duro');
const storeId = Buffer.from('0123456789abcdef', 'hex');

function newMachine(): MemoryDisk {
  const machine = new MemoryDisk();
  machine.opener().makeDirectory(directory);
  return machine;
}

const present = (disk: Disk, match: RegExp): string[] =>
  disk
    .list(directory)
    .filter((name) => match.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b));
const numberOf = (name: string): number => Number(name.slice(name.lastIndexOf('.') + 1));

/** The take-over that begins an epoch; each one ends the segment and the journal that the one before began. */
const takeover = (epoch: number): Takeover => ({
  epoch,
  next: 10 * epoch,
  segment: { first: Math.max(1, 10 * (epoch - 1)), end: 1000 + epoch },
  fact: 100 * epoch,
  journal: { number: epoch + 1, end: 2000 + epoch },
});
/** Nothing that was ever begun is gone. */
const ALL_THERE = { segment: 1, journal: 1 };

/** Fences and published take-overs from the first to the last, as one holder after the other makes them. */
function takeOver(disk: Disk, epochs: Epochs, count: number, lowest = ALL_THERE): void {
  for (let n = 0; n < count; n++)
    if (!epochs.publish(takeover(createFence(disk, names)), lowest)) throw new Error('somebody was first');
}

t.test('fences count up, and each is the greatest there is when it is there', async (t) => {
  const disk = newMachine().opener();
  t.equal(highestFence(disk, names), 0);
  t.same([createFence(disk, names), createFence(disk, names), createFence(disk, names)], [1, 2, 3]);
  t.equal(highestFence(disk, names), 3);
  disk.unlink(names.epoch(1));
  t.equal(createFence(disk, names), 4, 'the place of one that was removed is not taken');
});

t.test('a fence that is put up while others are put up and removed is tried again above them', async (t) => {
  const machine = newMachine();
  const other = machine.opener('other');
  machine.onOperation = ({ opener, kind }) => {
    if (opener !== 'slow' || kind !== 'create') return undefined;
    machine.onOperation = undefined;
    // While it was about to create the first one, there were two more, and the oldest is gone already.
    for (const number of [1, 2, 3]) other.create(names.epoch(number))?.close();
    other.unlink(names.epoch(1));
    return undefined;
  };
  t.equal(createFence(machine.opener('slow'), names), 4);
});

t.test('where no lock can be taken away there is one epoch, and nothing is looked at', async (t) => {
  const machine = newMachine();
  const disk = machine.opener();
  createFence(disk, names);
  const before = machine.operations;
  const epochs = new Epochs(disk, names, storeId, false);
  epochs.ensureFences();
  t.notOk(epochs.isFenced());
  t.equal(machine.operations, before);
  t.equal(epochs.current, 0);
});

t.test('who knows of no fence but its own is not fenced', async (t) => {
  const disk = newMachine().opener();
  const epochs = new Epochs(disk, names, storeId, true);
  t.ok(epochs.isFenced(), 'without its own it cannot tell');
  epochs.ensureFences();
  t.notOk(epochs.isFenced());
  t.equal(createFence(disk, names), 1);
  t.ok(epochs.isFenced());
  t.notOk(epochs.refresh(), 'and there is nothing to follow before that is published');
  t.ok(epochs.publish(takeover(1), ALL_THERE));
  t.notOk(epochs.isFenced());
  t.equal(epochs.current, 1);
});

t.test('one of two publishes a take-over; the other learns of it', async (t) => {
  const machine = newMachine();
  const [one, two] = [machine.opener(), machine.opener()].map(
    (disk) => new Epochs(disk, names, storeId, true),
  );
  if (one === undefined || two === undefined) throw new Error('two openers');
  one.ensureFences();
  const disk = machine.opener();
  const [lower, higher] = [createFence(disk, names), createFence(disk, names)];
  t.ok(two.publish(takeover(higher), ALL_THERE));
  t.notOk(one.publish(takeover(lower), ALL_THERE), 'there is a first one already');
  t.equal(one.current, 0, 'which changes nothing for it');
  t.equal(one.latest, undefined);
  t.same(present(disk, /tmp/), [], 'and leaves nothing behind');
  t.ok(one.refresh());
  t.same(one.latest, takeover(higher));
  t.equal(one.current, higher);
  t.notOk(one.isFenced());
  t.notOk(one.refresh(), 'once');
});

t.test('a published take-over survives a power cut', async (t) => {
  const machine = newMachine();
  const disk = machine.opener();
  disk.syncDirectoryNow('/');
  const epochs = new Epochs(disk, names, storeId, true);
  epochs.ensureFences();
  takeOver(disk, epochs, 1);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const after = new Epochs(machine.opener(), names, storeId, true);
  t.same(after.latest, takeover(1));
  after.ensureFences();
  t.notOk(after.isFenced(), 'with its fence, whose name may be lost');
});

t.test('whose file a segment is, and a journal, and where they are cut', async (t) => {
  const disk = newMachine().opener();
  const epochs = new Epochs(disk, names, storeId, true);
  epochs.ensureFences();
  t.equal(epochs.ofSegment(1), 0);
  t.equal(epochs.cutOfSegment(1), undefined);
  takeOver(disk, epochs, 3);
  t.same(
    [1, 9, 10, 19, 20, 29, 30, 1000].map((first) => epochs.ofSegment(first)),
    [0, 0, 1, 1, 2, 2, 3, 3],
  );
  t.same(epochs.cutOfSegment(1), { end: 1001, next: 10 });
  t.same(epochs.cutOfSegment(20), { end: 1003, next: 30 });
  t.equal(epochs.cutOfSegment(5), undefined, 'one that was sealed before');
  t.equal(epochs.cutOfSegment(30), undefined, 'the one that is being written');
  t.same(
    [1, 2, 3, 4, 9].map((number) => epochs.ofJournal(number)),
    [0, 1, 2, 3, 3],
  );
  t.same(
    [1, 2, 3, 4].map((number) => epochs.cutOfJournal(number)),
    [2001, 2002, 2003, undefined],
  );
  t.same(epochs.endOf(0), takeover(1));
  t.same(epochs.endOf(2), takeover(3));
  t.equal(epochs.endOf(3), undefined);
});

t.test('a segment that nothing was written to is succeeded by one of the same first index', async (t) => {
  const disk = newMachine().opener();
  const epochs = new Epochs(disk, names, storeId, true);
  const again = { ...takeover(2), next: 10, segment: { first: 10, end: 32 } };
  t.ok(epochs.publish(takeover(1), ALL_THERE));
  t.ok(epochs.publish(again, ALL_THERE));
  t.equal(epochs.ofSegment(10), 2);
  t.equal(epochs.cutOfSegment(10), undefined, 'the file that counts is not the one that was cut');
});

t.test(
  'fences below another one, of take-overs that nobody finished, are epochs without files',
  async (t) => {
    const disk = newMachine().opener();
    const epochs = new Epochs(disk, names, storeId, true);
    epochs.ensureFences();
    takeOver(disk, epochs, 1);
    for (let n = 0; n < 3; n++) createFence(disk, names);
    t.ok(epochs.isFenced());
    takeOver(disk, epochs, 1);
    t.equal(epochs.current, 5);
    t.notOk(epochs.isFenced());
    t.same(epochs.endOf(1), takeover(5));
    t.ok(epochs.remembers(1));
    t.notOk(epochs.remembers(3), 'nobody wrote in it');
  },
);

t.test('what some file needs is remembered, however many take-overs there were', async (t) => {
  const machine = newMachine();
  const disk = machine.opener();
  const epochs = new Epochs(disk, names, storeId, true);
  epochs.ensureFences();
  takeOver(disk, epochs, 40);
  t.same(present(disk, /takeover/), ['duro.takeover.40'], 'the last one tells all');
  const later = new Epochs(machine.opener(), names, storeId, true);
  t.ok(later.remembers(0));
  t.equal(later.ofSegment(1), 0);
  t.same(later.cutOfSegment(1), { end: 1001, next: 10 });
  t.same(later.endOf(0), takeover(1));
});

t.test('what no file needs any more is forgotten, but for the last few', async (t) => {
  const machine = newMachine();
  const disk = machine.opener();
  const [epochs, sleeper] = [
    new Epochs(disk, names, storeId, true),
    new Epochs(machine.opener(), names, storeId, true),
  ];
  epochs.ensureFences();
  t.notOk(sleeper.isFenced());
  takeOver(disk, epochs, 39);
  takeOver(disk, epochs, 1, { segment: 400, journal: 41 });
  const later = new Epochs(machine.opener(), names, storeId, true);
  t.same(later.latest, takeover(40));
  t.same(
    [0, 23, 24, 25, 40].map((epoch) => later.remembers(epoch)),
    [false, false, false, true, true],
    'sixteen of them',
  );
  t.same(later.endOf(25), takeover(26));
  const fences = present(disk, /epoch/).map(numberOf);
  t.equal(fences[0], 24, 'and as many fences below the last');
  t.equal(fences.at(-1), 40);
  t.notOk(fences.includes(1), 'the one that would tell a sleeper is gone');
  t.ok(sleeper.isFenced(), 'but so is its own');
});

t.test('as long as one file needs it, nothing behind it is forgotten either', async (t) => {
  const disk = newMachine().opener();
  const epochs = new Epochs(disk, names, storeId, true);
  epochs.ensureFences();
  takeOver(disk, epochs, 39);
  // The journal is a new one, but a segment of the third epoch is still there.
  takeOver(disk, epochs, 1, { segment: 30, journal: 41 });
  t.notOk(epochs.remembers(2));
  t.ok(epochs.remembers(3));
  t.equal(epochs.ofSegment(30), 3);
  t.equal(highestFence(disk, names), 40);
  t.ok(disk.exists(names.epoch(3)));
  takeOver(disk, epochs, 1, { segment: 400, journal: 6 });
  t.notOk(epochs.remembers(4));
  t.ok(epochs.remembers(5), 'and so with a journal that is still there');
});

t.test('fences go oldest first, so that no sleeper finds its own and misses the next', async (t) => {
  const machine = newMachine();
  const disk = machine.opener('one');
  const epochs = new Epochs(disk, names, storeId, true);
  epochs.ensureFences();
  const removed: number[] = [];
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'unlink' && /epoch/.test(path)) removed.push(numberOf(path));
    return undefined;
  };
  takeOver(disk, epochs, 39);
  takeOver(disk, epochs, 1, { segment: 400, journal: 41 });
  t.same(
    removed,
    [...removed].sort((a, b) => a - b),
  );
  t.same([removed[0], removed.at(-1)], [0, 23]);
});

t.test('take-overs are read as they were written', async (t) => {
  const all = [takeover(1), { ...takeover(2), segment: { first: 0, end: 0 } }];
  t.same(decodeTakeovers(encodeTakeovers(storeId, all), storeId, 'duro.takeover.2'), all);
});

t.test('what is no list of take-overs is refused', async (t) => {
  const refused = (bytes: Buffer, code: string): void => {
    t.throws(() => decodeTakeovers(bytes, storeId, 'duro.takeover.1'), {
      code,
      message: /duro\.takeover\.1/,
    });
  };
  for (const text of ['', '{"format":"durostore"', 'null', '[]', '{"format":"another","version":1}'])
    refused(Buffer.from(text), 'UNSUPPORTED_VERSION');
  refused(
    encodeFormatLine({ version: 2, id: storeId.toString('hex'), takeovers: [] }),
    'UNSUPPORTED_VERSION',
  );
  const id = storeId.toString('hex');
  const odd: unknown[] = [
    undefined,
    {},
    [null],
    [{ ...takeover(1), next: -1 }],
    [{ ...takeover(1), fact: 1.5 }],
    [{ ...takeover(1), epoch: '1' }],
    [{ ...takeover(1), segment: undefined }],
    [{ ...takeover(1), segment: { first: 1 } }],
    [{ ...takeover(1), journal: { number: 1, end: Number.MAX_SAFE_INTEGER + 1 } }],
  ];
  for (const takeovers of odd) refused(encodeFormatLine({ id, takeovers }), 'CORRUPT');
  refused(encodeTakeovers(Buffer.alloc(8), [takeover(1)]), 'CORRUPT');
  const whole = encodeTakeovers(storeId, [takeover(1)]);
  for (let at = whole.indexOf('takeovers'); at < whole.length - 1; at++) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    refused(flipped, 'CORRUPT');
  }
  const machine = newMachine();
  machine.put(names.takeover(1), Buffer.from('{}'));
  t.throws(() => new Epochs(machine.opener(), names, storeId, true), { code: 'UNSUPPORTED_VERSION' });
});

t.test('a fence is higher than the epoch of any file, and everybody finds one behind its own', async (t) => {
  const disk = newMachine().opener();
  const epochs = new Epochs(disk, names, storeId, true);
  epochs.ensureFences();
  // A take-over that came to nothing: a power cut took its fences, and kept its journal.
  disk.create(names.fateJournal(2, 2))?.close();
  t.equal(createFence(disk, names), 3);
  t.ok(epochs.isFenced());
});

t.test('where a power cut took the fence behind the current one, it is put up again', async (t) => {
  const disk = newMachine().opener();
  disk.create(names.epoch(0))?.close();
  disk.create(names.epoch(2))?.close();
  const epochs = new Epochs(disk, names, storeId, true);
  t.notOk(epochs.isFenced(), 'what is looked for is not there');
  epochs.ensureFences();
  t.ok(epochs.isFenced());
});

t.test(
  'a take-over that somebody else published is on the device before anybody works in its epoch',
  async (t) => {
    const machine = newMachine();
    const disk = machine.opener();
    disk.syncDirectoryNow('/');
    const epochs = new Epochs(disk, names, storeId, true);
    const follower = new Epochs(machine.opener(), names, storeId, true);
    epochs.ensureFences();
    machine.onOperation = inject({ error: 'EIO' }, onKind('syncDirectory'));
    t.throws(() => takeOver(disk, epochs, 1), { code: 'EIO' });
    machine.onOperation = undefined;
    t.ok(follower.refresh());
    follower.settle();
    machine.powerCut({ writes: 'lose', names: 'lose' });
    t.same(new Epochs(machine.opener(), names, storeId, true).latest, takeover(1));
  },
);
