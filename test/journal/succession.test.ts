import t from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import { inject, type Operation, onKind, onPath } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { Epochs } from '../../src/epoch/epochs.js';
import { Fates } from '../../src/journal/fates.js';
import { Journal } from '../../src/journal/journal.js';
import { cutsAt } from '../crash/explore.js';
import { random } from '../support/random.js';
import { decide, gone, names, type Opened, openFirst, start, storeId } from './opened.js';

/** Decides, syncs and shortens; `told` hears how many facts are written, and how many are synced. */
function program(disk: MemoryOpener, told: (written: number, synced: number) => void): void {
  const opened = openFirst(disk);
  const { journal } = opened;
  let synced = 0;
  const step = (sync: boolean): void => {
    decide(opened);
    told(journal.fact, synced);
    if (!sync) return;
    journal.syncNow();
    synced = journal.fact;
    told(journal.fact, synced);
  };
  step(false);
  step(true);
  journal.shorten(2);
  step(false);
  step(true);
  step(false);
  journal.shorten(3);
  journal.shorten(4);
  step(true);
  journal.close();
}

t.test('a crash at each operation keeps what was told, and the chain of journals', async (t) => {
  const numbers = random(t);
  let states = 0;
  for (let n = 1; ; n++) {
    const { machine, disk } = start();
    let struck: Operation | undefined;
    let written = 0;
    let synced = 0;
    machine.onOperation = (operation) => {
      if (operation.n !== n) return undefined;
      struck = operation;
      return operation.kind === 'write' && numbers.chance(0.5) ? { torn: numbers.integer(1, 40) } : 'die';
    };
    try {
      program(disk, (w, s) => {
        written = w;
        synced = s;
      });
    } catch (error) {
      if (!disk.dead) throw error;
    }
    machine.onOperation = undefined;
    for (const cut of [undefined, ...cutsAt(n)]) {
      const fork = machine.fork(1);
      const seed = numbers.integer(0, 2 ** 31);
      if (cut !== undefined) fork.powerCut({ ...cut, seed });
      const where = `${n}: ${struck?.kind} ${struck?.path}; ${JSON.stringify({ ...cut, seed })}`;
      states += 1;
      try {
        const opened = openFirst(fork.opener());
        const { fact } = opened.journal;
        if (fact < (cut === undefined ? written : synced) || fact > written + 1)
          t.fail(`${where}: fact ${fact}`);
        if (gone(opened) !== `0-${fact + 1}`) t.fail(`${where}: ${gone(opened)} after fact ${fact}`);
        decide(opened);
        if (numbers.chance(0.5)) opened.journal.shorten(5);
        decide(opened);
        opened.journal.syncNow();
        fork.powerCut({ writes: 'lose', names: 'random', seed });
        const again = openFirst(fork.opener());
        if (gone(again) !== `0-${fact + 3}`) t.fail(`${where}: ${gone(again)} after fact ${fact + 2}`);
      } catch (error) {
        t.error(error, where);
      }
    }
    if (struck === undefined) break;
  }
  t.ok(states > 200, `${states} states`);
});

t.test('the current journal is found by marks, not by numbers', async (t) => {
  const { machine, disk } = start();
  const opened = openFirst(disk);
  decide(opened);
  machine.onOperation = inject('die', onKind('write'), onPath(/fate\.1$/));
  t.throws(() => opened.journal.shorten(1));
  t.ok(disk.dead, 'just before the mark');
  machine.onOperation = undefined;
  t.ok(machine.bytes('/q/duro.fate.2'), 'a successor that no mark names');
  const next = openFirst(machine.opener());
  t.equal(next.journal.number, 1);
  decide(next);
  const third = openFirst(machine.opener());
  t.same([third.journal.number, third.journal.fact], [1, 2], 'facts go into the one that is current');
  third.journal.shorten(2);
  t.same([third.journal.number, gone(third)], [2, '0-3'], 'the unmarked one was removed first');
});

t.test('a journal that was not unlinked in time does not lead astray', async (t) => {
  const { machine, disk } = start();
  const opened = openFirst(disk);
  decide(opened);
  machine.onOperation = inject('die', onKind('unlink'), onPath(/fate\.1$/));
  t.throws(() => opened.journal.shorten(1), { name: 'ProcessDied' });
  machine.onOperation = undefined;
  const next = openFirst(machine.opener());
  t.equal(next.journal.number, 2);
  next.journal.shorten(2);
  t.equal(next.journal.number, 3);
  for (const old of [1, 2])
    t.equal(machine.bytes(`/q/duro.fate.${old}`), undefined, 'both old ones are gone');
  t.equal(gone(openFirst(machine.opener())), '0-2');
});

t.test('who has the old journal open follows the mark, also when it is gone', async (t) => {
  const { machine, disk } = start();
  const writer = openFirst(disk);
  decide(writer);
  const reader: Opened = (() => {
    const fates = new Fates('00');
    const journal = new Journal(
      machine.opener(),
      names,
      storeId,
      new Epochs(disk, names, storeId, false),
      fates,
    );
    journal.open();
    return { journal, fates };
  })();
  writer.journal.shorten(1);
  decide(writer);
  writer.journal.shorten(2);
  decide(writer);
  t.equal(reader.journal.catchUp(), true);
  t.same([reader.journal.number, reader.journal.fact, gone(reader)], [3, 3, '0-4']);
});

t.test('a damaged fact', async (t) => {
  /** Ten facts, of which 1-4 and 5-8 were each synced together; the ninth says that eight are safe. */
  function ten(): { machine: MemoryDisk } {
    const { machine, disk } = start();
    const opened = openFirst(disk);
    for (let fact = 1; fact <= 10; fact++) {
      decide(opened);
      if (fact === 4 || fact === 8) opened.journal.syncNow();
    }
    machine.kill(disk);
    return { machine };
  }
  const frame = 36 + 13;
  for (const fact of [1, 4, 5, 6, 7, 8]) {
    const { machine } = ten();
    machine.flip('/q/duro.fate.1', 32 + (fact - 1) * frame + 40);
    t.throws(() => openFirst(machine.opener()), { code: 'CORRUPT' }, `${fact}, which a later one calls safe`);
  }
  const { machine } = ten();
  machine.flip('/q/duro.fate.1', 32 + 8 * frame + 40);
  const disk = machine.opener();
  const later = new Journal(disk, names, storeId, new Epochs(disk, names, storeId, false), new Fates('00'));
  later.open();
  t.throws(() => later.catchUpLocked(), { code: 'CORRUPT' }, 'the ninth, where others may have synced it');
  const opened = openFirst(machine.opener());
  t.equal(opened.journal.fact, 8, 'the ninth, which none calls safe, ends the journal');
  decide(opened);
  t.equal(openFirst(machine.opener()).journal.fact, 9, 'and the tenth does not come back');
});

t.test('every byte of the state that a successor begins with is told when it is damaged', async (t) => {
  const { machine, disk } = start();
  const opened = openFirst(disk);
  for (let fact = 1; fact <= 3; fact++) decide(opened);
  opened.journal.shorten(1);
  const { number, end } = opened.journal;
  t.equal(number, 2);
  machine.kill(disk);
  for (let position = 32; position < end; position++) {
    const fork = machine.fork(1);
    fork.flip('/q/duro.fate.2', position);
    const before = fork.bytes('/q/duro.fate.2');
    try {
      openFirst(fork.opener());
      t.fail(`byte ${position}: opened`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'CORRUPT') t.error(error, `byte ${position}`);
    }
    if (Buffer.compare(before ?? Buffer.of(), fork.bytes('/q/duro.fate.2') ?? Buffer.of()) !== 0)
      t.fail(`byte ${position}: the journal was changed`);
    const later = new Journal(
      fork.opener(),
      names,
      storeId,
      new Epochs(disk, names, storeId, false),
      new Fates('00'),
    );
    t.throws(() => later.open(), { code: 'CORRUPT' }, `byte ${position}, for a later opener`);
  }
});

t.test('also the state of claims that are no more, which no fact is left of', async (t) => {
  const { machine, disk } = start();
  const opened = openFirst(disk);
  const facts = opened.journal.begin();
  facts.attempted(1, 3);
  opened.journal.decided(1);
  opened.journal.commit();
  opened.journal.shorten(2);
  machine.kill(disk);
  machine.flip('/q/duro.fate.2', opened.journal.end - 37);
  t.throws(() => openFirst(machine.opener()), { code: 'CORRUPT' });
});

t.test('a commit that failed forgets nothing, also where the journal cannot be read again', async (t) => {
  const { machine, disk } = start();
  const opened = openFirst(disk);
  for (let fact = 1; fact <= 3; fact++) decide(opened);
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'list') return { error: 'EMFILE' };
    return kind === 'write' && path.endsWith('fate.1') ? { error: 'EIO' } : undefined;
  };
  t.throws(() => decide(opened), { code: 'EMFILE' });
  for (const index of [1, 2, 3]) t.equal(opened.fates.goneSet.has(index), true, `${index} is still gone`);
  machine.onOperation = undefined;
  t.equal(gone(openFirst(machine.opener())), '0-4', 'and what failed was not decided');
});
