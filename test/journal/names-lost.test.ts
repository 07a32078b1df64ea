/** Successions whose makers die at every stage, and a power cut that takes any of the names given or taken meanwhile. */
import t from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import { inject, type Operation, onKind, onPath } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { nameChoices } from '../crash/name-choices.js';
import { random } from '../support/random.js';
import { decide, gone, openFirst, start } from './opened.js';

/** Two facts, and a succession whose maker dies before it unlinks the old journal. */
function begun(): MemoryDisk {
  const { machine, disk } = start();
  const opened = openFirst(disk);
  decide(opened);
  decide(opened);
  machine.onOperation = inject('die', onKind('unlink'), onPath(/fate\.1$/));
  t.throws(() => opened.journal.shorten(1), { name: 'ProcessDied' });
  machine.onOperation = undefined;
  machine.operations = 0;
  return machine;
}

/** Decides and shortens twice; `told` hears how many facts are written, and how many are synced. */
function goOn(disk: MemoryOpener, told: (written: number, synced: number) => void): void {
  const opened = openFirst(disk);
  const { journal } = opened;
  told(journal.fact, journal.fact);
  for (let round = 0; round < 2; round++) {
    decide(opened);
    told(journal.fact, journal.safe);
    journal.syncNow();
    told(journal.fact, journal.safe);
    journal.shorten(1);
    decide(opened);
    told(journal.fact, journal.safe);
  }
}

const journals = (machine: MemoryDisk): string[] =>
  [...machine.snapshot().keys()].filter((path) => /fate\.\d+$/.test(path));

t.test(
  'no combination of names that are lost or kept loses a fact, and what is left over goes',
  async (t) => {
    const numbers = random(t);
    let states = 0;
    for (let n = 1; ; n++) {
      const machine = begun();
      const disk = machine.opener();
      let struck: Operation | undefined;
      let [written, synced] = [2, 2];
      machine.onOperation = (operation) => {
        if (operation.n !== n) return undefined;
        struck = operation;
        return 'die';
      };
      try {
        goOn(disk, (w, s) => {
          [written, synced] = [w, s];
        });
      } catch (error) {
        if (!disk.dead) throw error;
      }
      machine.onOperation = undefined;
      for (const [at, kept] of nameChoices(machine, numbers).entries()) {
        const fork = machine.fork(1);
        const seed = numbers.integer(0, 2 ** 31);
        const writes = (['lose', 'keep', 'random'] as const)[at % 3] ?? 'lose';
        fork.powerCut({ writes, names: (place) => kept.has(place), seed });
        const where = `${n}: ${struck?.kind} ${struck?.path}; kept ${[...kept].join()}; ${writes} ${seed}`;
        states += 1;
        try {
          const opened = openFirst(fork.opener());
          const { fact } = opened.journal;
          if (fact < synced || fact > written + 1)
            t.fail(`${where}: fact ${fact} of ${synced} to ${written}`);
          if (gone(opened) !== `0-${fact + 1}`) t.fail(`${where}: ${gone(opened)} after fact ${fact}`);
          decide(opened);
          opened.journal.shorten(5);
          if (journals(fork).length !== 2) t.fail(`${where}: left are ${journals(fork).join(', ')}`);
          fork.powerCut({ writes: 'lose', names: 'random', seed });
          const again = openFirst(fork.opener());
          if (gone(again) !== `0-${fact + 2}`) t.fail(`${where}: ${gone(again)} after fact ${fact + 1}`);
        } catch (error) {
          t.error(error, where);
        }
      }
      if (struck === undefined) break;
    }
    t.ok(states > 100, `${states} states`);
  },
);
