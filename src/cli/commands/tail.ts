import { type Command, Option } from 'commander';
import { openStore } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { untilInterrupted } from '../interruption.js';
import { KEYLESS } from '../keyless.js';
import { closing } from '../opened.js';
import { atLeast } from '../option-values.js';
import { readable } from '../readable.js';
import { formOf, printRecord, type RecordOptions } from '../record-form.js';
import type { Session, Start } from '../session.js';
import { assertThere } from '../there.js';

interface TailOptions extends CommonOptions, RecordOptions {
  readonly lines: number;
  readonly follow?: boolean;
  readonly wait?: number;
}

export const tail = (start: Start): Command =>
  directoryCommand('tail', {
    summary: 'print the last records, and those that others write from then on',
    description:
      'Prints the last records as dump does. With --follow it goes on with what any process writes, until it is ' +
      'interrupted or its reader goes away.',
    directory:
      'is opened as by any program: who is first mends what a crash left. Otherwise nothing is changed: what is ' +
      'printed stays where it is. Nothing is created where there is no store.',
    exit: '0 fine, also where --follow is interrupted; 1 some records are damaged or encrypted; 2 it could not be done.',
    examples: [
      ['durostore tail mail', 'the last ten'],
      ['durostore tail mail -f | grep ERROR', 'what comes, filtered'],
      ['durostore tail mail -n 0 -f --data-only', 'only what comes, only its data'],
      ['durostore tail mail -f --wait 5000', 'until nothing came for five seconds'],
    ],
  })
    .option('-n, --lines <count>', 'how many of the last records', atLeast(0), 10)
    .option('-f, --follow', 'wait for more')
    .addOption(
      new Option('--wait <ms>', 'follow, and end when nothing came for so long')
        .argParser(atLeast(0))
        .implies({ follow: true }),
    )
    .addOption(
      new Option('--data-only', 'the data alone, as it is, each with a newline behind it').conflicts('json'),
    )
    .action((directory: string, options: TailOptions) =>
      start(whereOf(directory, options), (session) => print(session, options)),
    );

async function print(session: Session, options: TailOptions): Promise<number> {
  const { lines, follow, wait } = options;
  const { directory, filePrefix, signal, out } = session;
  await assertThere(session);
  const form = formOf(options);
  const obstacles = { damaged: 0 };
  const range = { from: lines === 0 ? 'next' : -lines, follow, waitMs: wait } as const;
  await closing(await openStore({ directory, filePrefix, signal, transforms: KEYLESS }), (store) =>
    untilInterrupted(signal, follow === true, async () => {
      for await (const entry of readable(store, range, session, obstacles))
        await printRecord(out, entry, form);
    }),
  );
  return obstacles.damaged > 0 ? ExitCode.findings : ExitCode.fine;
}
