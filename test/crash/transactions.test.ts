/**
 * Transactions, and a death at each operation of them and at any byte of their writes, with or without a power cut that leaves any of
 * what was not synced: all of a transaction happened or nothing, also where segments go and journals are succeeded.
 */
import t from 'tap';
import { random } from '../support/random.js';
import { SHORT_JOURNALS } from './actor.js';
import { enumerateCrashes } from './enumerate.js';
import { Findings } from './explore.js';
import type { Program } from './programs.js';
import { States } from './states.js';

const inOneMode: readonly Program[] = [
  {
    name: 'synced',
    options: { maxFileSize: 4096 },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20]);
      await actor.transaction([30, 40], 1, 2);
      await actor.delete(0);
      await actor.transaction([30], 0);
      actor.die();
      await actor.open();
      await actor.transaction([20], 1);
      await actor.close();
    },
  },
  {
    name: 'written, with successions',
    options: { durability: 'written', maxFileSize: 4096, limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.writeMany([20, 20, 20, 20, 20]);
      await actor.sync();
      await actor.transaction([30], 1, 2);
      await actor.claim();
      await actor.ack();
      await actor.write();
      await actor.transaction([30, 40], 0);
      await actor.sync();
      await actor.transaction([10], 0, 1);
      await actor.close();
      await actor.open();
      await actor.transaction([10], 0);
    },
  },
  {
    name: 'segments that go',
    options: { maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 3; at++) await actor.write(60);
      await actor.transaction([60], 0, 1);
      await actor.transaction([60], 0, 1);
      await actor.dequeue();
      await actor.write(60);
      await actor.close();
    },
  },
  {
    name: 'segments that go, written',
    options: { durability: 'written', maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 3; at++) await actor.write(60);
      await actor.sync();
      await actor.transaction([60], 0, 1);
      await actor.transaction([60], 0, 1);
      await actor.write(60);
      await actor.sync();
      await actor.transaction([60], 0);
    },
  },
];

const programs: readonly Program[] = [
  ...inOneMode,
  ...inOneMode.slice(1, 3).map((program) => ({
    ...program,
    name: `${program.name}, lock files`,
    options: { ...program.options, locking: 'lockfile' as const },
  })),
];

for (const program of programs)
  t.test(program.name, async (t) => {
    const findings = new Findings(t);
    await enumerateCrashes(program, random(t), new States(), findings);
    findings.end(program.name);
  });
