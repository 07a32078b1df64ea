/**
 * Measures the library beside bare files on this machine: `npm run bench -- [--json] [--only text] [--rounds 3]
 * [--scale 1] [--directory path]`. The directory's file system is what is measured: a temporary directory in memory
 * says nothing of syncs.
 */
import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { cells } from './cells.js';
import { type CellResult, type Figures, inDirectory, measure } from './measure.js';

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

await inDirectory(directory, async (work) => {
  const type = statfsSync(work).type;
  const fileSystem = FILE_SYSTEMS[type] ?? `file system type 0x${type.toString(16)}`;
  say(
    `Node ${machine.node}, ${machine.system}, ${machine.cores} cores (${machine.processor}), ${fileSystem}`,
  );
  say(`Microseconds a record of 1 KiB: median of ${rounds} rounds (least-most)\n`);
  say(`${''.padEnd(38)}${'durostore'.padEnd(24)}${'bare files'.padEnd(24)} ratio  target`);
  const results: CellResult[] = [];
  for (const cell of cells(scale)) {
    if (!cell.name.includes(only)) continue;
    const result = await measure(cell, rounds, work);
    results.push(result);
    row(result);
  }
  if (json) console.log(JSON.stringify({ machine: { ...machine, fileSystem }, cells: results }, null, 2));
});
