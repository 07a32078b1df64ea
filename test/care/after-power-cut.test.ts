import t from 'tap';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { StoreOptions } from '../../src/store/options.js';
import { stillClock } from '../crash/actor.js';
import { bytes, range } from '../store/records.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { random } from '../support/random.js';
import { Film } from './film.js';
import { DIRECTORY, serious } from './store.js';

const CUTS: readonly PowerCut[] = [
  { writes: 'lose', names: 'keep' },
  { writes: 'random', names: 'keep', tear: 'sector', sizes: 'random' },
  { writes: 'random', names: 'keep', tear: 'byte', garble: true },
  { writes: 'random', names: 'random', tear: 'byte', sizes: 'random' },
];
const ROUNDS = 150;
/** What a power cut must have done to files that a take-over ended. */
const SEEN = [/a journal that a take-over cut/, /a segment that is over/];

type Options = Omit<StoreOptions, 'directory'>;

/** Nothing is on the device but what must be. */
const open = (machine: MemoryDisk, options: Options, name?: string): Promise<Queue<Uint8Array>> =>
  openQueueOn<Uint8Array>(machine.opener(name), {
    directory: DIRECTORY,
    codec: 'bytes',
    indexer: false,
    clock: stillClock,
    durability: 'written',
    maxFileSize: 400,
    ...options,
  });

/** Writes and decides, and dies in the midst of a write while it has the lock. */
async function workAndDie(machine: MemoryDisk, options: Options, over: RegExp): Promise<void> {
  const queue = await open(machine, options, 'dying');
  await queue.enqueueMany(range(1, 3).map((n) => bytes(`one of a batch, number ${n}`)));
  for (const n of range(1, 5)) await queue.enqueue(bytes(`message number ${n}`));
  for (const delivery of await queue.claimMany(2)) await delivery.ack();
  for (const _ of range(1, 3)) await (await queue.claim())?.nack();
  machine.onOperation = inject({ torn: 40 }, onOpener('dying'), onKind('write'), onPath(over));
  await queue.enqueue(bytes('half of it')).catch(() => {});
  await queue.claim().catch(() => {});
  machine.onOperation = undefined;
}

for (const options of [{}, { locking: 'lockfile' }] as const) {
  t.test(
    `whoever opens after a power cut leaves nothing to complain of: ${JSON.stringify(options)}`,
    async (t) => {
      const numbers = random(t);
      const machine = new MemoryDisk({ deathTakesMs: 60_000 });
      const film = new Film(machine);
      film.end(machine);
      for (const over of [/\.dat$/, /\.fate\./, /\.dat$/]) {
        await workAndDie(machine, options, over);
        // Who comes next takes over, and goes on.
        film.begin(machine);
        const queue = await open(machine, options);
        await queue.enqueue(bytes('of who took over'));
        await (await queue.claim())?.ack();
        film.end(machine);
      }
      const notes = new Map<string, number>();
      const problems: string[] = [];
      const isSeen = (): boolean =>
        !('locking' in options) || SEEN.every((what) => [...notes.keys()].some((note) => what.test(note)));
      for (let round = 0; round < ROUNDS || (!isSeen() && round < 10 * ROUNDS); round++) {
        const fork = numbers.pick(film.frames).fork(round);
        const cut = { ...numbers.pick(CUTS), seed: numbers.integer(0, 2 ** 31) };
        fork.powerCut(cut);
        await (await open(fork, options)).close();
        const report = await verifyOn(fork.opener(), { directory: DIRECTORY });
        for (const { what, severity } of report.findings)
          if (severity === 'note') notes.set(what, (notes.get(what) ?? 0) + 1);
        if (!report.ok) problems.push(`${JSON.stringify(cut)}: ${JSON.stringify(serious(report))}`);
        for (const problem of checkDirectoryOn(fork.opener(), DIRECTORY, { staleEntries: true }))
          problems.push(`${JSON.stringify(cut)}: ${problem}`);
      }
      t.same(problems.slice(0, 5), [], `of ${problems.length}`);
      t.comment([...notes].map((note) => note.reverse().join(' times ')).join('\n'));
      t.ok(isSeen(), 'what was over was torn, too');
    },
  );
}
