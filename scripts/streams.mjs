/**
 * What the tests of streams show in seconds, at length: readers that follow a writer, readers whose records go by retention, a group
 * whose members are killed and added at random, and transactions, streams and consumers of processes that are killed and stopped. Says where the evidence is when something is wrong.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { elevenReaders, readersUnderRetention } = await import('../build/test/processes/readers.js');
const { killMembers } = await import('../build/test/processes/group-members.js');
const { torture } = await import('../build/test/processes/torture.js');
const { randomFrom } = await import('../build/test/support/random.js');

const HELP = `npm run streams -- WHAT [options]

WHAT                     readers, retention, group or torture; all, one after the other, without
  --records N            that readers read (default 100000)
  --seconds N            for which members of the group, or processes of the torture, are killed (default 60)
  --locking MODE         os, lockfile or both, one after the other (default both)
  --seed S               repeats the same choices; what the processes make of them is theirs
  --directory PATH       where to work (default: a new directory below that for temporary files)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '60' },
    locking: { type: 'string', default: 'both' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    directory: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});

function misused(what) {
  console.error(`${what}\n\n${HELP}`);
  process.exit(2);
}

function number(name) {
  const value = Number(values[name]);
  return Number.isFinite(value) && value >= 0 ? value : misused(`--${name}: a number, not ${values[name]}`);
}

const KIB = 1024;
const PROGRESS_EVERY_MS = 10_000;
const DRAINED_WITHIN_MS = 120_000;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const wrongReadings = (readings) =>
  readings.filter(({ isRight }) => !isRight).map((reading) => JSON.stringify(reading));

/** Each says what it saw, and returns what is wrong with it. */
const shows = {
  async readers({ starter, directory, locking }) {
    const options = { durability: 'written', locking, maxFileSize: 1024 * KIB };
    const result = await elevenReaders(starter, directory, number('records'), options);
    const { readings, consumers, writtenMs, readMs } = result;
    console.log(
      `${readings.length} readers of ${values.records} records: written in ${seconds(writtenMs)}, read after ${seconds(readMs)}`,
    );
    const behind = consumers.filter(([committed, lag]) => committed !== number('records') || lag !== 0);
    return [...wrongReadings(readings), ...behind.map((one) => `a consumer: ${one}`)];
  },

  async retention({ starter, directory, locking }) {
    const [maxBytes, maxFileSize] = [256 * KIB, 64 * KIB];
    const options = { durability: 'written', locking, maxFileSize, maxBytes };
    const result = await readersUnderRetention(starter, directory, number('records'), options);
    const { readings, mostKept, mostOnDisk } = result;
    console.log(
      `${readings.length} readers, each saw or missed ${values.records} records, of which missed ` +
        `${readings.map(({ missed }) => missed).join(', ')}; kept at most ${mostKept} of ${maxBytes} bytes beside the segment ` +
        `that is written, at most ${mostOnDisk} on the disk`,
    );
    const tooMuch = mostKept > maxBytes ? [`${mostKept} bytes were kept`] : [];
    return [...wrongReadings(readings), ...tooMuch];
  },

  async group({ starter, directory, notes, locking, chance }) {
    let toldAt = performance.now();
    const site = { starter, chance, directory, notes };
    const { appended, deaths, joined, returned, wrong } = await killMembers(site, {
      locking,
      deaths: 1,
      forMs: number('seconds') * 1000,
      drainedWithinMs: DRAINED_WITHIN_MS,
      onDeath(soFar) {
        if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
        toldAt = performance.now();
        console.log(`${soFar.deaths} deaths, ${soFar.appended} records`);
      },
    });
    console.log(
      `${appended} records, ${returned} times returned; ${joined} members joined, ${deaths} were killed`,
    );
    return wrong;
  },

  async torture({ starter, directory, notes, locking, chance }) {
    const site = { starter, chance, directory, scratch: notes };
    const everyMs = locking === 'os' ? 500 : 1500;
    const { wrong, counts, kills, stops, report, problems } = await torture(site, {
      locking,
      forMs: number('seconds') * 1000,
      killEveryMs: everyMs,
      stopEveryMs: everyMs,
      // Longer than a lock file may be silent, so that others take over.
      longestStopMs: 8000,
    });
    const { transactions, streams, commits, happened, vanished } = counts;
    console.log(
      `${transactions} transactions, ${streams} streams and ${commits} commits acknowledged; ${kills} kills, ${stops} stops; of what ` +
        `nobody was told the end of ${happened} happened and ${vanished} did not`,
    );
    const serious = report.findings.filter(({ severity }) => severity !== 'note');
    return [...wrong, ...problems, ...serious.map((finding) => `verify: ${JSON.stringify(finding)}`)];
  },
};

/** Whether all was well. */
async function run(what, locking) {
  const seed = number('seed');
  const place = mkdtempSync(join(resolve(values.directory), 'durostore-streams-'));
  const [directory, notes] = ['store', 'notes'].map((name) => join(place, name));
  for (const one of [directory, notes]) mkdirSync(one);
  console.log(`\n${what} with locking '${locking}', --seed ${seed}`);
  const ends = [];
  const starter = { teardown: (end) => ends.push(end) };
  let wrong;
  try {
    wrong = await shows[what]({ starter, directory, notes, locking, chance: randomFrom(seed) });
  } catch (error) {
    wrong = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  } finally {
    for (const end of ends.reverse()) await end();
  }
  if (wrong.length === 0) {
    rmSync(place, { recursive: true, force: true });
    return true;
  }
  console.log(`\nWRONG (${wrong.length}); kept in ${place}`);
  for (const one of wrong.slice(0, 50)) console.log(`  ${one}`);
  return false;
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const modes = { os: ['os'], lockfile: ['lockfile'], both: ['os', 'lockfile'] }[values.locking];
if (modes === undefined) misused(`--locking: os, lockfile, both, not ${values.locking}`);
const wanted = positionals.length === 0 ? Object.keys(shows) : positionals;
for (const what of wanted) if (!Object.hasOwn(shows, what)) misused(`nothing is called ${what}`);
let isWell = true;
for (const what of wanted) for (const locking of modes) isWell = isWell && (await run(what, locking));
process.exit(isWell ? 0 : 1);
