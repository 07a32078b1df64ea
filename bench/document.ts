/** docs/benchmarks.md, as it is written from the figures of a run. */
import type { Result, Role } from './cell.js';
import { drawn } from './drawn.js';
import { chartFile, groups } from './groups.js';
import type { Report } from './report.js';
import type { Figures } from './statistics.js';
import { number, verdictText } from './table.js';

/** The cells that everybody takes part in, side by side. */
const OVERVIEW = [
  ...['W1a', 'W1b', 'W1c', 'W2', 'W3', 'W4a', 'W4b', 'W5a', 'W5b'],
  ...['two processes, singly', 'two processes, by 100', 'latency: median', 'latency: 99 of 100'],
];
const ROLES: Readonly<Record<Role, string>> = {
  ours: 'the library',
  variant: 'beside',
  control: 'control',
  peer: 'peer',
};

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return [row(...head), row(...rule), ...rows.map((cells) => row(...cells))].join('\n');
}

function run(report: Report): string {
  const { machine, commit, date, rounds, scale, minutes, peers, missing } = report;
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  const rows = [
    ['Machine', `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB`],
    ['System', `${machine.system}, ${machine.fileSystem}, Node ${machine.node}`],
    ['Commit', `${commit}, ${date}`],
    ['Run', `${rounds} rounds, scale ${scale}, ${minutes} minutes`],
    ['Peers', versions.length === 0 ? 'none' : versions.join(', ')],
    ...(missing.length === 0 ? [] : [['Left out', missing.join('; ')]]),
  ];
  return table(['The run', ''], rows).replace('| --- | ---: |', '| --- | --- |');
}

/** Every target, whether it was reached or not. */
function targets(results: readonly Result[]): string {
  const rows = results.flatMap(({ id, unit, verdicts, contestants, behind }) => [
    ...verdicts.map((verdict) => {
      const figure = (who: string | undefined): string => {
        const found = contestants.find(({ name }) => name === who);
        return found === undefined ? '–' : number(found.figures.median);
      };
      const outright = verdict.to === undefined;
      const reached = outright ? `${number(verdict.reached)} ${unit}` : `${number(verdict.reached)} ×`;
      const other = outright ? '–' : `${figure(verdict.to)} (${verdict.to})`;
      const atMost = outright ? `${verdict.atMost} ${unit}` : `${verdict.atMost} ×`;
      const who = verdict.of === 'durostore' ? id : `${id}: ${verdict.of}`;
      return [who, `${figure(verdict.of)} ${unit}`, other, reached, atMost, verdict.ok ? 'ok' : '**missed**'];
    }),
    ...(behind === undefined || behind.length === 0
      ? []
      : [[`${id}: ahead of all peers`, '', '', `not of ${behind.join(', ')}`, '', '**missed**']]),
  ]);
  return table(['', 'durostore', 'beside', 'reached', 'at most', ''], rows);
}

function overview(results: readonly Result[]): string {
  const shown = OVERVIEW.flatMap((id) => results.filter((result) => result.id === id));
  const names = [...new Set(shown.flatMap(({ contestants }) => contestants.map(({ name }) => name)))];
  const rows = names.map((name) => [
    emphasised(name),
    ...shown.map(({ contestants }) => {
      const found = contestants.find((one) => one.name === name);
      if (found === undefined) return '–';
      const figure = number(found.figures.median);
      return name === 'durostore' ? `**${figure}**` : figure;
    }),
  ]);
  return table(['', ...shown.map(({ id, unit }) => `${id}${unit === 'ms' ? ', ms' : ''}`)], rows);
}

/** The results of one table, which are its columns; a single one has room for more to be told. */
function detail(results: readonly Result[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const { table: title, name, unit } = first;
  const [only, ...others] = results;
  const told = results.flatMap(({ column, unit: in_, verdicts, failures = [] }) => [
    ...verdicts.map((verdict) => {
      const what = others.length > 0 && column !== '' ? `${verdict.of}, ${column}` : verdict.of;
      return `- ${what}: ${verdictText(verdict, in_)}`;
    }),
    ...failures.map((failure) => `- failed: ${failure}`),
  ]);
  const definitions = [...new Set(results.map(({ definition }) => definition))].filter((text) => text !== '');
  const what = others.length === 0 ? [`${name.charAt(0).toUpperCase()}${name.slice(1)}.`] : [];
  return [
    `### ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    [...what, ...definitions].join(' '),
    only !== undefined && others.length === 0 ? single(only) : several(results, unit),
    ...(told.length > 0 ? [told.join('\n')] : []),
  ].join('\n\n');
}

function single({ unit, contestants }: Result): string {
  const hasCpu = contestants.some(({ cpu }) => cpu !== undefined);
  const control = contestants.find(({ role }) => role === 'control');
  const rows = contestants.map(({ name, role, figures, cpu }) => [
    emphasised(name),
    ROLES[role],
    number(figures.median),
    spread(figures),
    ...(hasCpu ? [cpu === undefined ? '' : number(cpu)] : []),
    ...(control === undefined ? [] : [number(figures.median / control.figures.median)]),
  ]);
  const ratio = control === undefined ? [] : [`× ${control.name}`];
  return table(['', '', unit, 'least–most', ...(hasCpu ? ['CPU, µs a record'] : []), ...ratio], rows);
}

function several(results: readonly Result[], unit: string): string {
  const names = [...new Set(results.flatMap(({ contestants }) => contestants.map(({ name }) => name)))];
  const heads = results.map(({ column, unit: in_ }) => (sameUnit(results) ? column : `${column}, ${in_}`));
  const rows = names.map((name) => [
    emphasised(name),
    ...results.map(({ contestants }) => {
      const found = contestants.find((one) => one.name === name);
      return found === undefined ? '–' : `${number(found.figures.median)} (${spread(found.figures)})`;
    }),
  ]);
  return table([sameUnit(results) ? unit : '', ...heads], rows);
}

const sameUnit = (results: readonly Result[]): boolean => new Set(results.map(({ unit }) => unit)).size === 1;

const spread = ({ least, most }: Figures): string => `${number(least)}–${number(most)}`;

const emphasised = (name: string): string => (name === 'durostore' ? `**${name}**` : name);

export function documentOf(report: Report): string {
  const sections = groups.flatMap(({ key, title, says }) => {
    const results = report.results.filter(({ group }) => group === key);
    if (results.length === 0) return [];
    const tables = [...new Set(results.map((result) => result.table))];
    return [
      `## ${title}`,
      says,
      ...(drawn(report.results, key).length > 0 ? [`![${title}](benchmarks/${chartFile(key)})`] : []),
      ...tables.map((of) => detail(results.filter((result) => result.table === of))),
    ];
  });
  return `${[
    '# Benchmarks',
    INTRODUCTION,
    run(report),
    '## Side by side',
    SIDE_BY_SIDE,
    overview(report.results),
    '## Targets',
    TARGETS,
    targets(report.results),
    '## The peers, and how they are used',
    PEERS,
    ...sections,
  ].join('\n\n')}\n`;
}

const INTRODUCTION = `This page is written by a program from one run; \`docs/benchmarks/figures.json\` has all of it. To repeat it in a clone:

\`\`\`sh
npm run bench:peers   # installs what it is compared with, into bench/ alone
npm run bench         # measures, and prints tables; figures go to bench/results/
npm run bench -- --write   # and writes this page, its figures and its charts
\`\`\`

Redis and NATS are servers that have to be there (Debian: \`apt-get install redis-server nats-server\`); the benchmark
starts its own, on a socket or a free port of 127.0.0.1, and stops them. What is not installed is left out.
\`--only "W1,latency"\` measures a part, \`--full\` goes to ten million records, \`--scale 0.2\` is for a first look,
\`--directory\` chooses the file system, \`--json\` is for programs. Measure on a machine that does nothing else.

In a round everybody has a turn in a new directory, which is removed before the next one's turn; figures are medians of
rounds with the least and the most. Ratios are medians of the rounds' own ratios, because both halves of one were
measured together. Some gigabytes are written and deleted before anything is measured. Slow contestants get fewer
records. CPU is user and system time of the process, a record; it is left out where a server does part of the work.
The *raw* control has one file and one system call a record or batch: no framing, no copy, no lock. *Same calls* makes
the library's system calls without the library.`;

const SIDE_BY_SIDE =
  'Microseconds a record where nothing else is said, medians. The cells are explained below.';

const TARGETS = `What the library is held to: ratios to the raw control of the same run, or outright. Every operation takes the locks of
the operating system, with other processes free to join at any time and checksums on.`;

const PEERS = `Everybody has the fastest settings that are documented and promise the same: nothing is synced for an answer but in
the cells of *On the device*, batches are one call or one transaction, and the oldest record is taken first.

| | as a queue | where nothing is synced | on the device |
| --- | --- | --- | --- |
| lmdb | ascending 32-bit keys, told to append; \`putSync\`, a transaction for a batch, the first of a range to take | \`noSync\` | a commit is a sync (\`overlappingSync: false\`) |
| lmdb, write map | the same with \`useWritemap\`, of which its documentation says that a stray pointer may corrupt the data; shown, not compared with | \`noSync\` | the same |
| better-sqlite3 | a table with an integer key, WAL; \`DELETE … RETURNING\`, or a select and a delete in one transaction | \`synchronous = OFF\` | \`synchronous = FULL\` |
| plainjob | its own set-up: WAL; \`add\`, \`addMany\`, and what its worker does: mark as processing, read, mark as done | \`synchronous = NORMAL\` | – |
| BullMQ | \`add\`, \`addBulk\`; a Worker takes, with a concurrency of 1 or 100; completed jobs are removed | Redis, \`appendfsync everysec\` | \`appendfsync always\` |
| JetStream | a stream in files; \`publish\`, 100 at a time for a batch; a durable consumer, explicit acknowledgements | the server's default | – |

lmdb, better-sqlite3 and plainjob have no way to wait for another process; they are asked each millisecond.`;
