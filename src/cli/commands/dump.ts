import { type Command, Option } from 'commander';
import { openStore } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { KEYLESS } from '../keyless.js';
import { closing } from '../opened.js';
import { atLeast } from '../option-values.js';
import { readable } from '../readable.js';
import { formOf, printRecord, type RecordOptions } from '../record-form.js';
import type { Session, Start } from '../session.js';
import { assertThere } from '../there.js';

interface DumpOptions extends CommonOptions, RecordOptions {
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
}

export const dump = (start: Start): Command =>
  directoryCommand('dump', {
    summary: 'print records, and pass over damaged ones',
    description:
      'Prints records in the order of their indexes, a line each: index, time, size, headers and data, with tabs ' +
      'between. Control characters are shown as \\n, \\t, \\u001b; data that is not UTF-8 as hex:… (in JSON as base64). ' +
      'A record that is damaged, or encrypted, is told of on standard error, and the dump goes on behind it.',
    directory:
      'is opened as by any program: who is first mends what a crash left. Otherwise nothing is changed: what is ' +
      'printed stays where it is. Nothing is created where there is no store.',
    exit: '0 fine; 1 some records are damaged or encrypted; 2 there is no such store, or it cannot be opened.',
    examples: [
      ['durostore dump mail', 'everything'],
      ['durostore dump mail --from 100 --limit 10', 'ten records from index 100 on'],
      ['durostore dump mail --json | jq -r .data', 'JSON, a record a line'],
      ['durostore dump mail --from 7 --limit 1 --raw > seven', "one record's bytes"],
    ],
  })
    .option('--from <index>', 'where to begin (default: the oldest)', atLeast(1))
    .option('--to <index>', 'where to end: before this index', atLeast(1))
    .option('--limit <count>', 'print at most so many', atLeast(0))
    .addOption(
      new Option('--data-only', 'the data alone, as it is, each with a newline behind it').conflicts([
        'json',
        'raw',
      ]),
    )
    .addOption(new Option('--raw', 'the data alone, as it is, nothing between').conflicts(['json']))
    .action((directory: string, options: DumpOptions) =>
      start(whereOf(directory, options), (session) => print(session, options)),
    );

async function print(session: Session, { from, to, limit, ...options }: DumpOptions): Promise<number> {
  const { directory, filePrefix, signal, out } = session;
  await assertThere(session);
  const form = formOf(options);
  const obstacles = { damaged: 0 };
  await closing(await openStore({ directory, filePrefix, signal, transforms: KEYLESS }), async (store) => {
    for await (const entry of readable(store, { from, to, limit }, session, obstacles))
      await printRecord(out, entry, form);
  });
  return obstacles.damaged > 0 ? ExitCode.findings : ExitCode.fine;
}
