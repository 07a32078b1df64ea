import type { Command } from 'commander';
import { BareFiles } from '../../disk/bare-files.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { type Amount, bareFiles, durostore, KINDS, type Kind } from '../measures.js';
import { counted, grouped } from '../numbers.js';
import { atLeast } from '../option-values.js';
import type { Paint } from '../paint.js';
import { type Progress, withProgress } from '../progress.js';
import type { Session, Start } from '../session.js';
import { table } from '../table.js';

interface Options extends CommonOptions, Amount {
  readonly rounds: number;
}

export const bench = (start: Start): Command =>
  directoryCommand('bench', {
    summary: 'measure what queues cost in a directory, beside bare files',
    description:
      'Enqueues, reads and dequeues messages in the directory, does the same with bare files, in turns, and prints ' +
      'microseconds a message (medians) and their ratio. A rough look at this device and this machine: other programs ' +
      'disturb it, and figures of two machines say nothing about each other.',
    directory:
      'must exist, and may be a store, which is left alone: everything happens in a new directory in it, ' +
      'durostore-bench-…, which is removed at the end. --prefix means nothing here.',
    examples: [
      ['durostore bench .', 'this directory, in a few seconds'],
      ['durostore bench /mnt/data --size 200 --messages 50000', 'smaller messages, more of them'],
    ],
  })
    .option('--messages <count>', 'a kind of work; a fiftieth where each is synced', atLeast(1), 5000)
    .option('--size <bytes>', 'bytes of a message', atLeast(1), 1024)
    .option('--rounds <count>', 'rounds, of which the medians are taken', atLeast(1), 3)
    .action((directory: string, options: Options) =>
      start(whereOf(directory, options), (session) => run(session, options)),
    );

interface Result {
  readonly what: Kind;
  readonly messages: number;
  /** Microseconds a message. */
  readonly durostore: number;
  readonly bareFile: number;
  readonly ratio: number;
}

async function run({ directory, json, out, signal }: Session, options: Options): Promise<number> {
  const { messages, size, rounds } = options;
  const files = new BareFiles(directory);
  let results: Result[];
  try {
    results = await withProgress('measuring {bar} {percentage}%', (progress) =>
      measure(files, options, signal, progress),
    );
  } finally {
    files.remove();
  }
  if (json) {
    await out.json({ unit: 'microseconds a message', messages, size, rounds, results });
    return ExitCode.fine;
  }
  await out.line(
    `Microseconds a message of ${counted(size, 'byte')}, median of ${counted(rounds, 'round')}. A rough look.\n`,
  );
  await out.line(asTable(results, out.paint));
  return ExitCode.fine;
}

async function measure(
  files: BareFiles,
  { messages, size, rounds }: Options,
  signal: AbortSignal,
  progress: Progress,
): Promise<Result[]> {
  const contestants = [
    { does: durostore, times: timesOfKinds(), name: 'store' },
    { does: bareFiles, times: timesOfKinds(), name: 'bare' },
  ] as const;
  const counts = new Map<Kind, number>();
  const steps = rounds * contestants.length * KINDS.length;
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const { does, times, name } of contestants) {
      await does(files, `${name}-${round}`, { messages, size }, async (kind, work) => {
        signal.throwIfAborted();
        progress.update(done++, steps);
        const begin = performance.now();
        const count = await work();
        times.get(kind)?.push(((performance.now() - begin) * 1000) / count);
        counts.set(kind, count);
      });
    }
  }
  return KINDS.map((what) => {
    const [ours, bare] = contestants.map(({ times }) => median(times.get(what) ?? []));
    const [durostore, bareFile] = [ours ?? Number.NaN, bare ?? Number.NaN];
    return { what, messages: counts.get(what) ?? 0, durostore, bareFile, ratio: durostore / bareFile };
  });
}

const timesOfKinds = (): Map<Kind, number[]> => new Map(KINDS.map((kind) => [kind, []]));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function asTable(results: readonly Result[], paint: Paint): string {
  const rows = results.map(({ what, messages, durostore, bareFile, ratio }) => [
    what,
    grouped(messages),
    durostore.toFixed(1),
    bareFile.toFixed(1),
    ratio.toFixed(1),
  ]);
  const right = (name: string) => ({ name, align: 'right' }) as const;
  return table(
    [{ name: 'WHAT' }, right('MESSAGES'), right('DUROSTORE'), right('BARE FILE'), right('RATIO')],
    rows,
    paint,
  );
}
