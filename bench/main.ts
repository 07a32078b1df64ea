/**
 * Measures the library beside bare files on this machine: `npm run bench -- [--json] [--only text] [--rounds 3]
 * [--scale 1] [--directory path]`. The directory's file system is what is measured: a temporary directory in memory
 * says nothing of syncs. `--only` takes a part of a cell's name, or 'two processes', 'many records',
 * 'dead holder', 'event loop', 'memory' or 'format'.
 */
import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { cells } from './cells.js';
import { type DeadHolderResult, deadHolder } from './dead-holder.js';
import { eventLoop, eventLoopTable, type LoadResult, loads } from './event-loop.js';
import { comparisons } from './format.js';
import { type ManyRecordsResult, manyRecords } from './many-records.js';
import { type CellResult, compare, type Figures, inDirectory, measure } from './measure.js';
import { type MemoryResults, memory, memoryTable } from './memory.js';
import { type TwoProcessesResult, twoProcesses } from './two-processes.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const { json, only, directory } = values;
const rounds = Number(values.rounds);
const scale = Number(values.scale);
if (!(rounds >= 1) || !(scale > 0)) throw new Error('--rounds and --scale take positive numbers');

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
  16914836: 'tmpfs (in memory: syncs cost nothing)',
};

const machine = {
  node: process.version,
  system: `${process.platform} ${process.arch}`,
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? 'unknown',
};

const say = (line: string): void => {
  if (!json) console.log(line);
};

const number = (value: number): string => value.toPrecision(3).replace(/e\+.*/, '');
const range = ({ median, least, most }: Figures): string =>
  `${number(median).padStart(6)} (${number(least)}-${number(most)})`.padEnd(24);

function row({ name, ours, bare, ratio, target }: CellResult): void {
  const [first, ...others] = bare;
  if (first === undefined) return;
  const aim = target === undefined ? '' : `${ratio <= target ? 'ok' : 'MISSED'}, at most ${target}`;
  say(
    `${name.padEnd(38)}${range(ours)}${range(first)}${ratio.toFixed(2).padStart(6)}  ${aim.padEnd(20)}${first.name}`,
  );
  for (const other of others) {
    say(
      `${''.padEnd(62)}${range(other)}${(ours.median / other.median).toFixed(2).padStart(6)}  ${''.padEnd(20)}${other.name}`,
    );
  }
}

const inRange = ({ median, least, most }: Figures, unit: string): string =>
  `${median.toFixed(0)} ${unit} (${least.toFixed(0)}-${most.toFixed(0)})`;

function tellManyRecords(result: ManyRecordsResult): void {
  const { records, openMs, total, growth, growthWithReads, readMicroseconds, wrong } = result;
  const ok = openMs.median < 200 && growth.median < 60 && wrong === 0;
  say(`\n${records} records of 100 bytes, opened in a fresh process:`);
  say(`  open and count     ${inRange(openMs, 'ms')}, at most 200`);
  say(
    `  memory by opening  ${inRange(growth, 'MiB')}, at most 60; by opening and reading ${inRange(growthWithReads, 'MiB')}`,
  );
  say(`  memory in all      ${inRange(total, 'MiB')}, Node and the library included`);
  say(`  read at random     ${readMicroseconds.median.toFixed(2)} µs, ${wrong} wrong`);
  say(`  ${ok ? 'ok' : 'MISSED'}`);
}

function tellComparison(name: string, results: readonly Figures[]): void {
  say(`\n${name}`);
  for (const result of results) say(`  ${result.name.padEnd(36)}${range(result)}`);
}

await inDirectory(directory, async (work) => {
  const type = statfsSync(work).type;
  const fileSystem = FILE_SYSTEMS[type] ?? `file system type 0x${type.toString(16)}`;
  say(
    `Node ${machine.node}, ${machine.system}, ${machine.cores} cores (${machine.processor}), ${fileSystem}`,
  );
  const results: CellResult[] = [];
  const wanted = cells(scale).filter(({ name }) => name.includes(only));
  say(`Microseconds a record of 1 KiB: median of ${rounds} rounds (least-most)`);
  if (wanted.length > 0)
    say(`\n${''.padEnd(38)}${'durostore'.padEnd(24)}${'bare files'.padEnd(24)} ratio  target`);
  for (const cell of wanted) {
    const result = await measure(cell, rounds, work);
    results.push(result);
    row(result);
  }
  let two: TwoProcessesResult[] = [];
  if ('two processes'.includes(only)) {
    two = await twoProcesses(scale, rounds, work);
    say('\nTwo processes, 200-byte records; bare: a file that the other one follows by its notices');
    for (const { name, unit, ours, bare, target } of two)
      say(
        `  ${name.padEnd(36)}${range(ours)}${range(bare)}${(ours.median / bare.median).toFixed(2).padStart(6)}  ${unit}, target ${target}`,
      );
  }
  let many: ManyRecordsResult | undefined;
  if ('many records'.includes(only)) {
    many = await manyRecords(Math.round(3_000_000 * scale), rounds, work);
    tellManyRecords(many);
  }
  let dead: DeadHolderResult | undefined;
  if ('dead holder'.includes(only)) {
    dead = await deadHolder(scale, work);
    const { held, kills, p50, p99, worst } = dead;
    say(`\n${held} messages of a consumer that is killed, until another one has them all, ${kills} times:`);
    say(`  p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`);
    say(`  ${p99 < 100 ? 'ok' : 'MISSED'}, p99 below 100 ms`);
  }
  let loop: LoadResult[] = [];
  if ('event loop'.includes(only)) {
    loop = await eventLoop(loads(scale), rounds, work);
    for (const line of eventLoopTable(loop)) say(line);
  }
  let passed: MemoryResults | undefined;
  if ('memory'.includes(only)) {
    passed = await memory(Math.round(1_000_000 * scale), work);
    for (const line of memoryTable(passed)) say(line);
  }
  const format: { name: string; results: Figures[] }[] = [];
  if ('format'.includes(only)) {
    for (const { name, contestants } of comparisons(scale)) {
      const compared = await compare(contestants, rounds, work);
      format.push({ name, results: compared });
      tellComparison(name, compared);
    }
  }
  const everything = {
    machine: { ...machine, fileSystem },
    cells: results,
    twoProcesses: two,
    manyRecords: many,
    deadHolder: dead,
    eventLoop: loop,
    memory: passed,
    format,
  };
  if (json) console.log(JSON.stringify(everything, null, 2));
});
