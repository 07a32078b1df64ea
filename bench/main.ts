/**
 * Measures the library on this machine, beside bare files and whichever peers are installed (`npm run bench:peers`):
 * `npm run bench -- [--only text,text] [--rounds 3] [--scale 1] [--full] [--no-peers] [--no-warm-up] [--directory path]
 * [--json] [--output file] [--write]`. The directory's file system is what is measured: a temporary directory in memory says nothing of
 * syncs. `--only` takes parts of a cell's id, name or group. `--full` goes to ten million records and takes long. `--write` puts figures, charts and tables
 * into docs/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Cell, Result } from './cell.js';
import { allCells } from './cells/all.js';
import { commitOf, machineOf } from './machine.js';
import { measure } from './measure.js';
import { load } from './packages.js';
import { installedPeers } from './peers/all.js';
import { publish } from './publish.js';
import type { Report } from './report.js';
import { root } from './root.js';
import { linesOf } from './table.js';
import { warmUp } from './warm-up.js';
import { inDirectory } from './work-directory.js';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    full: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: true },
    'warm-up': { type: 'boolean', default: true },
    directory: { type: 'string', default: tmpdir() },
    output: { type: 'string', default: join(root, 'bench', 'results', 'latest.json') },
    write: { type: 'boolean', default: false },
  },
});
const { json, full, directory, output } = values;
const rounds = Number(values.rounds);
const scale = Number(values.scale);
if (values.write && values.only !== '') throw new Error('--write takes a whole run, without --only');
// Told at once, and not when everything was measured.
if (values.write) await load('vega');
if (!(rounds >= 1) || !(scale > 0)) throw new Error('--rounds and --scale take positive numbers');

const say = (line: string): void => {
  if (!json) console.log(line);
};

const wanted = values.only
  .toLowerCase()
  .split(',')
  .map((part) => part.trim());
const isWanted = ({ id, name, group, long = false }: Cell): boolean =>
  (!long || full || values.only !== '') &&
  wanted.some(
    (part) =>
      (part !== '' || wanted.length === 1) && `${id}: ${name} (${group})`.toLowerCase().includes(part),
  );

await inDirectory(directory, async (work) => {
  const begin = performance.now();
  const machine = machineOf(work);
  const commit = commitOf();
  const { subjects, versions, missing } = values.peers
    ? await installedPeers()
    : { subjects: [], versions: {}, missing: [] };
  say(
    `Node ${machine.node}, ${machine.system}, ${machine.cores} cores (${machine.processor}), ${machine.fileSystem}`,
  );
  say(`commit ${commit}, medians of ${rounds} rounds (least-most)`);
  for (const reason of missing) say(`Left out: ${reason}`);
  if (values['warm-up']) say(`Warmed up with ${Math.round(warmUp(work) / 1024 ** 2)} MiB`);

  const results: Result[] = [];
  const reported = (): Report => ({
    machine,
    commit,
    date: new Date().toISOString().slice(0, 10),
    rounds,
    scale,
    minutes: Math.round((performance.now() - begin) / 6000) / 10,
    peers: versions,
    missing,
    results,
  });
  mkdirSync(dirname(output), { recursive: true });
  for (const cell of allCells(subjects, full).filter(isWanted)) {
    const records = Math.max(100, Math.round((cell.records * scale) / 100) * 100);
    for (const result of await measure({ ...cell, records }, rounds, work)) {
      results.push(result);
      say(`\n${linesOf(result).join('\n')}`);
    }
    // After each cell, so that a run that is ended early was not for nothing.
    writeFileSync(output, `${JSON.stringify(reported(), null, 2)}\n`);
  }
  const report = reported();
  say(`\n${report.minutes} minutes; figures in ${output}`);
  if (values.write) await publish(report);
  if (json) console.log(JSON.stringify(report, null, 2));
});
