/**
 * Segments that are removed and journals that are succeeded, and a power cut at every stage that loses any of the names
 * that were given or taken since the directory was last synced: nothing that was told is lost, and what is left over goes.
 */
import t, { type Test } from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import { random } from '../support/random.js';
import { type Options, openOn, SHORT_JOURNALS } from './actor.js';
import { Findings, runUntilDeath } from './explore.js';
import { judge } from './judge.js';
import { nameChoices } from './name-choices.js';
import type { Program } from './programs.js';

const programs: readonly Program[] = [
  {
    name: 'segments go one by one, several at a time, and out of the middle',
    options: { maxFileSize: 320 },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 6; at++) await actor.write(150);
      await actor.dequeueMany(2);
      await actor.delete(1, 2);
      await actor.prune(100);
      await actor.close();
    },
  },
  {
    name: 'segments that go, written',
    options: { maxFileSize: 320, durability: 'written' },
    async run(actor) {
      await actor.open();
      for (let at = 0; at < 5; at++) await actor.write(150);
      await actor.dequeueMany(2);
      await actor.sync();
      await actor.dequeueMany(2);
      await actor.prune(100);
      await actor.write(90);
    },
  },
  {
    name: 'successions upon successions, and segments that go',
    options: { maxFileSize: 320, limits: SHORT_JOURNALS },
    async run(actor) {
      await actor.open();
      await actor.writeMany([60, 60]);
      await actor.writeMany([60, 60]);
      await actor.writeMany([60, 60]);
      for (let at = 0; at < 2; at++) {
        await actor.claim();
        await actor.claim();
        await actor.ack();
        await actor.nack();
      }
      await actor.dequeueMany(2);
      await actor.close();
    },
  },
];

/** After everything was taken out: what is in the directory beside what a store without records needs. */
async function leftovers(machine: MemoryDisk, options: Options): Promise<string[]> {
  const queue = await openOn(machine.opener('cleans up'), { ...options, limits: SHORT_JOURNALS });
  for (let round = 0; round < 6; round++) {
    await queue.enqueue(Uint8Array.of(round));
    await queue.dequeue();
  }
  await queue.close();
  const names = [...machine.snapshot().keys()].map((path) => path.slice(path.lastIndexOf('/') + 1));
  const matching = (match: RegExp): string[] => names.filter((name) => match.test(name));
  const problems: string[] = [];
  const [data, entries] = [matching(/\.dat$/), matching(/\.idx$/)];
  if (data.length !== 1 || entries.length !== 1) problems.push(`left: ${[...data, ...entries].join(', ')}`);
  const journals = matching(/\.fate\.\d+$/);
  // The current one, and the room for its successor.
  if (journals.length !== 2) problems.push(`left: ${journals.join(', ')}`);
  return [...problems, ...matching(/\.tmp\./).map((name) => `left: ${name}`)];
}

/** Shortly before the first segment, or the first journal, goes. */
async function firstRemoval(program: Program): Promise<number> {
  let first = 0;
  await runUntilDeath(program, 'die', ({ n, kind, path }) => {
    if (first === 0 && kind === 'unlink' && /\.idx$|\.fate\.\d+$/.test(path)) first = n;
    return false;
  });
  return Math.max(1, first - 12);
}

const CHANGES = new Set(['write', 'truncate', 'create', 'link', 'unlink', 'sync', 'syncDirectory']);

async function explore(t: Test, program: Program): Promise<void> {
  const numbers = random(t);
  const findings = new Findings(t);
  for (let n = await firstRemoval(program); ; n++) {
    const { machine, history, struck } = await runUntilDeath(
      program,
      'die',
      (operation) => operation.n === n,
    );
    if (struck !== undefined && !CHANGES.has(struck.kind)) continue;
    const choose = nameChoices(machine, numbers);
    for (const [at, kept] of choose.entries()) {
      const fork = machine.fork(1);
      const seed = numbers.integer(0, 2 ** 31);
      const writes = (['lose', 'keep', 'random'] as const)[at % 3] ?? 'lose';
      const cut: PowerCut = { writes, names: (place) => kept.has(place), seed };
      fork.powerCut(cut);
      const where = `at ${n}, ${struck?.kind} ${struck?.path}; kept ${[...kept].join()}; ${writes} ${seed}`;
      const problems = await judge(fork, history, program.options, 'cut');
      if (problems.length === 0) problems.push(...(await leftovers(fork, program.options)));
      findings.add(where, problems);
    }
    if (struck === undefined) break;
  }
  findings.end(program.name);
}

for (const program of programs) t.test(program.name, (t) => explore(t, program));
