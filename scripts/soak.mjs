/**
 * Producers and consumers at work in one directory while processes are killed and stopped at random, for as long as you
 * like; then peace, and a judgement of everything that anybody was told. Says where the evidence is when something is wrong.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { soak, bytesIn } = await import('../build/test/processes/soak.js');
const { roll, KEPT } = await import('../build/test/processes/rolls.js');
const { randomFrom } = await import('../build/test/support/random.js');

const HELP = `npm run soak -- [options]

  --minutes N            how long blows fall (default 1)
  --locking MODE         os, lockfile or both, one after the other (default both)
  --kill-every MS        about so long between two kills (default 500)
  --stop-every MS        about so long between two stops, SIGSTOP (default 700)
  --producers N          (default 4)
  --consumers N          (default 4)
  --durability D         written, synced or mixed (default mixed: each call says for itself)
  --segments N           instead of all that, begins and removes so many segments
  --seed S               repeats the same choices; what the processes make of them is theirs
  --directory PATH       where to work (default: a new directory below that for temporary files)`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    locking: { type: 'string', default: 'both' },
    'kill-every': { type: 'string', default: '500' },
    'stop-every': { type: 'string', default: '700' },
    producers: { type: 'string', default: '4' },
    consumers: { type: 'string', default: '4' },
    durability: { type: 'string', default: 'mixed' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    directory: { type: 'string', default: tmpdir() },
    segments: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function number(name) {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`--${name}: a number, not ${values[name]}\n\n${HELP}`);
  process.exit(2);
}

function oneOf(name, choices) {
  if (choices.includes(values[name])) return values[name];
  console.error(`--${name}: ${choices.join(', ')}, not ${values[name]}\n\n${HELP}`);
  process.exit(2);
}

/** Everything small and short, so that what is rare is frequent. */
function planFor(locking) {
  const durability = oneOf('durability', ['mixed', 'written', 'synced']);
  return {
    options: {
      locking,
      maxFileSize: 32 * 1024,
      maxFiles: 16,
      whenFull: 'wait',
      ...(durability === 'mixed' ? {} : { durability }),
    },
    limits: {
      reserveBytes: 16 * 1024,
      leastReserveBytes: 4096,
      leastGainBytes: 1024,
      shortenFromBytes: 16 * 1024,
      shortenFactor: 2,
    },
    producers: { count: number('producers'), batch: 8, atOnce: 4, mixed: durability === 'mixed' },
    consumers: {
      count: number('consumers'),
      batch: 8,
      deeds: { claim: 10, dequeue: 3, delete: 1, read: 3 },
      nackOneIn: 20,
      holdOneIn: 100,
      ...(locking === 'lockfile' ? { leaseMs: 10_000 } : {}),
    },
    readers: 1,
    verifiers: 1,
    reopenEvery: 200,
    killEveryMs: number('kill-every'),
    stopEveryMs: number('stop-every'),
    // Longer than a lock file may be silent, so that others take over.
    longestStopMs: 8000,
    allOneIn: 20,
    forMs: number('minutes') * 60_000,
  };
}

const stop = new AbortController();
process.on('SIGINT', () => {
  if (stop.signal.aborted) process.exit(1);
  console.log('Ending early; what there is will be judged');
  stop.abort();
});

const MIB = 1024 * 1024;
const PROGRESS_EVERY_MS = 10_000;

function describe({ ledger, counts }) {
  const { acknowledged, deliveries, redelivered, deleted } = ledger.counts;
  const { kills, stops, rolls, journals, takeovers } = counts;
  return (
    `${acknowledged} acknowledged, ${deliveries} delivered, ${redelivered} again, ${deleted} deleted, ` +
    `${kills} kills, ${stops} stops, ${rolls} rolls, ${journals} successions, ${takeovers} take-overs`
  );
}

/** Whether all was well. */
async function run(locking) {
  const seed = number('seed');
  const place = mkdtempSync(join(resolve(values.directory), 'durostore-soak-'));
  const directory = join(place, 'store');
  const scratch = join(place, 'notes');
  for (const one of [directory, scratch]) mkdirSync(one);
  console.log(`Soak with locking '${locking}' for ${values.minutes} minutes, --seed ${seed}, in ${place}`);
  const ends = [];
  const begun = performance.now();
  let toldAt = begun;
  let problems;
  try {
    const result = await soak(
      {
        starter: { teardown: (end) => ends.push(end) },
        chance: randomFrom(seed),
        directory,
        scratch,
        signal: stop.signal,
        onLook(seen) {
          if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
          toldAt = performance.now();
          const memory = Math.round(process.memoryUsage().rss / MIB);
          const disk = (bytesIn(directory) / MIB).toFixed(1);
          const at = Math.round((toldAt - begun) / 1000);
          console.log(`${at} s: ${describe(seen)}; ${memory} MiB of memory, ${disk} MiB on disk`);
        },
      },
      planFor(locking),
    );
    const { ledger, stats, report } = result;
    console.log(`\n${describe(result)}`);
    console.log(
      `${ledger.counts.verified} times verified meanwhile, ${ledger.counts.late} leases ended, ${ledger.counts.lost} writes lost with their lock`,
    );
    console.log(
      `lost ${result.lost.length}, invented ${result.invented.length}, indexes twice ${result.givenTwice.length}; ` +
        `${result.unseen} were in the hands of processes killed in dequeue, of at most ${result.accounted}`,
    );
    console.log(
      `afterwards: ${stats.waiting} waiting, ${stats.claimed} claimed, ${stats.files} files, ${stats.lost} lost; ` +
        `verify ${report.ok ? 'ok' : 'NOT OK'}; the directory is ${result.problems.length === 0 ? 'sound' : 'NOT SOUND'}`,
    );
    problems = [
      ...result.odd,
      ...result.lost.map((one) => `lost: ${one}`),
      ...result.invented,
      ...result.givenTwice,
      ...result.unjustified,
      ...result.disorder,
      ...result.halfBatches,
      ...result.problems,
      ...report.findings
        .filter(({ severity }) => severity !== 'note')
        .map((finding) => `verify: ${JSON.stringify(finding)}`),
    ];
    if (stats.waiting + stats.claimed + stats.lost > 0 || stats.files !== 1)
      problems.push(`left: ${JSON.stringify(stats)}`);
    if (!report.ok) problems.push('verify is not ok');
  } catch (error) {
    problems = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  } finally {
    for (const end of ends.reverse()) await end();
  }
  if (problems.length === 0) {
    rmSync(place, { recursive: true, force: true });
    return true;
  }
  console.log(`\nWRONG (${problems.length}), with --locking ${locking} --seed ${seed}; kept in ${place}`);
  for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
  return false;
}

/** Whether all was well. */
async function rollSegments(count) {
  const place = mkdtempSync(join(resolve(values.directory), 'durostore-rolls-'));
  let toldAt = performance.now();
  const { heap, descriptors, mostFiles, wrong, left } = await roll(place, count, (done) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    console.log(`${done} of ${count}`);
  });
  const [heapBefore, heapAfter] = heap.map((bytes) => (bytes / MIB).toFixed(1));
  console.log(
    `${count} segments; at most ${mostFiles} files; memory ${heapBefore} to ${heapAfter} MiB, ` +
      `descriptors ${descriptors.join(' to ')}; ${left.length} records left in ${left.files} files, next index ${left.next}`,
  );
  if (left.next !== count + 1 || left.length !== KEPT || left.files !== KEPT)
    wrong.push('what is left is wrong');
  if (heap[1] - heap[0] > 8 * MIB) wrong.push('memory has grown');
  if ((descriptors[1] ?? 0) - (descriptors[0] ?? 0) > 40) wrong.push('descriptors are kept');
  for (const one of wrong) console.log(`  ${one}`);
  rmSync(place, { recursive: true, force: true });
  return wrong.length === 0;
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
if (values.segments !== undefined) process.exit((await rollSegments(number('segments'))) ? 0 : 1);
const locking = oneOf('locking', ['os', 'lockfile', 'both']);
let isWell = true;
for (const mode of locking === 'both' ? ['os', 'lockfile'] : [locking])
  if (isWell && !stop.signal.aborted) isWell = await run(mode);
process.exit(isWell ? 0 : 1);
