import { join } from 'node:path';
import t from 'tap';
import { verify, verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { StoreOptions } from '../../src/store/options.js';
import { range } from '../store/records.js';
import { startProgram } from '../support/processes.js';
import { random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { Film, viewOf } from './film.js';
import { DIRECTORY, serious } from './store.js';

const LIMITS: JournalLimits = {
  reserveBytes: 512,
  leastReserveBytes: 128,
  leastGainBytes: 128,
  shortenFromBytes: 512,
  shortenFactor: 1.5,
};

/** Two processes at work until one is killed in the middle of a write; a third goes on. Segments and journals come and go. */
async function work(machine: MemoryDisk, options: StoreOptions): Promise<void> {
  const [one, two] = [machine.opener('one'), machine.opener('two')];
  const first = await openQueueOn<string>(one, options, LIMITS);
  const second = await openQueueOn<string>(two, options, LIMITS);
  for (const round of range(1, 6)) {
    await first.enqueueMany(range(1, 5).map((n) => `message ${round}.${n}`));
    const claims = await second.claimMany(3);
    for (const claim of claims.slice(1)) await claim.ack();
    await second.enqueue(`another ${round}`);
    await first.dequeue();
  }
  const filming = machine.onOperation;
  machine.onOperation = (operation) => {
    filming?.(operation);
    return operation.opener === 'one' && operation.kind === 'write' && operation.path.endsWith('.dat')
      ? { torn: 60 }
      : undefined;
  };
  await first.enqueueMany(['torn', 'torn', 'torn']).catch(() => {});
  machine.onOperation = filming;
  for (const round of range(7, 9)) {
    await second.enqueueMany(range(1, 5).map((n) => `message ${round}.${n}`));
    for (const claim of await second.claimMany(4)) await claim.ack();
  }
  await second.clear();
  await second.enqueue('the last one');
  await second.close();
}

for (const options of [
  { durability: 'written', maxFileSize: 600 },
  { durability: 'synced', maxFileSize: 600 },
  { durability: 'written', maxFileSize: 600, locking: 'lockfile' },
] as const) {
  t.test(`what others do meanwhile is not reported: ${JSON.stringify(options)}`, async (t) => {
    const machine = new MemoryDisk();
    machine.put(`${DIRECTORY}/nothing`, new Uint8Array());
    const film = new Film(machine);
    await work(machine, { directory: DIRECTORY, indexer: false, ...options });
    film.end(machine);
    const length = film.frames.length;
    t.ok(length > 200, `${length} moments`);
    const begun = film.frames.findIndex((frame) => frame.bytes(`${DIRECTORY}/duro.meta`) !== undefined);
    const numbers = random(t);
    const problems: string[] = [];
    const kinds = new Set<string>();
    for (let from = begun; from < length; from += numbers.integer(1, 3)) {
      // From one who stands still to one who does much between two looks.
      const most = numbers.pick([0, 1, 2, 10]);
      const disk = viewOf(film, from, () => numbers.integer(0, most));
      const report = await verifyOn(disk, { directory: DIRECTORY });
      for (const { what } of report.findings) kinds.add(what);
      const found = serious(report);
      if (found.length > 0 || !report.ok)
        problems.push(`${from} to ${disk.moment} by ${most}: ${JSON.stringify(found)}`);
    }
    t.same(problems.slice(0, 5), [], `of ${problems.length}`);
    t.comment([...kinds].join('\n'));
  });
}

t.test('nor what processes do that are killed at random', async (t) => {
  const directory = await temporaryDirectory(t);
  const scratch = await temporaryDirectory(t);
  const numbers = random(t);
  const options = { durability: 'written', maxFileSize: 16 * 1024, maxFiles: 8, whenFull: 'wait' };
  let lives = 0;
  const begin = (role: 'producer' | 'consumer') => {
    lives += 1;
    const notes = join(scratch, `${role}.${lives}`);
    const common = { directory, options, notes, name: `${role}.${lives}`, count: 1e9, reopenEvery: 50 };
    const orders = { ...common, batch: 3, how: 'claim', leaseMs: 1000, nackOneIn: 10 };
    return startProgram(t, `test/processes/${role}-child.js`, { args: [JSON.stringify(orders)] });
  };
  const roles = ['producer', 'producer', 'consumer', 'consumer'] as const;
  const programs = roles.map(begin);
  let looks = 0;
  let bytes = 0;
  // Long enough for one that was just started to do something.
  const [lastsMs, killEveryMs] = [4000, 400];
  const start = performance.now();
  for (let killAt = start + killEveryMs; performance.now() < start + lastsMs; ) {
    try {
      const report = await verify({ directory });
      t.same(serious(report), [], `look ${++looks}`);
      bytes += report.bytes;
    } catch (error) {
      // They have not begun yet.
      if ((error as { code?: string }).code !== 'INVALID_OPTION' || looks > 0) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (performance.now() < killAt) continue;
    killAt += killEveryMs;
    const at = numbers.integer(0, roles.length - 1);
    await programs[at]?.kill();
    programs[at] = begin(roles[at] ?? 'producer');
  }
  for (const program of programs) await program.kill();
  t.ok(looks > 10 && bytes > 0, `${looks} looks at ${bytes} bytes`);
  t.same(serious(await verify({ directory })), []);
});
