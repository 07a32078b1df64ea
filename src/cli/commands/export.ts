import type { Command } from 'commander';
import { DurostoreError, openStore } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { exportedForm, LARGEST_EXPORTED } from '../exported-records.js';
import { KEYLESS } from '../keyless.js';
import { grouped } from '../numbers.js';
import { closing } from '../opened.js';
import { atLeast } from '../option-values.js';
import { readable } from '../readable.js';
import type { Session, Start } from '../session.js';
import { assertThere } from '../there.js';

interface ExportOptions extends CommonOptions {
  readonly from?: number;
  readonly to?: number;
}

export const exportation = (start: Start): Command =>
  directoryCommand('export', {
    summary: 'write records out as lines of JSON, for import',
    description:
      'Prints every record as a line of JSON, in the order of their indexes: index, time, headers and data; data that ' +
      'is not UTF-8 text is base64 in place of data. import makes records of them again. Of a message of a queue, ' +
      'priority, place in line, key, delay, id, attempts and codec are not exported. A record that is damaged, or ' +
      `encrypted, or larger than ${LARGEST_EXPORTED / 1024 / 1024} MiB, is told of on standard error, and the export goes on behind it.`,
    directory:
      'is opened as by any program: who is first mends what a crash left. Otherwise nothing is changed: what is ' +
      'printed stays where it is. Nothing is created where there is no store.',
    exit:
      '0 everything was exported; 1 some records are damaged, encrypted or too large; 2 there is no such store, or it ' +
      'cannot be opened.',
    examples: [
      ['durostore export mail > mail.jsonl', 'everything'],
      ['durostore export mail | durostore import copy', 'as records by index'],
      ['durostore export mail | durostore import copy --codec json', 'as messages of a queue'],
      ['durostore export mail --from 100 --to 200', 'a hundred indexes'],
    ],
  })
    .option('--from <index>', 'where to begin (default: the oldest)', atLeast(1))
    .option('--to <index>', 'where to end: before this index', atLeast(1))
    .action((directory: string, options: ExportOptions) =>
      start(whereOf(directory, options), (session) => print(session, options)),
    );

async function print(session: Session, { from, to }: ExportOptions): Promise<number> {
  const { directory, filePrefix, signal, out, notes } = session;
  await assertThere(session);
  const obstacles = { damaged: 0 };
  await closing(await openStore({ directory, filePrefix, signal, transforms: KEYLESS }), async (store) => {
    for await (const entry of readable(store, { from, to }, session, obstacles)) {
      if (entry.size <= LARGEST_EXPORTED) {
        await out.json(exportedForm(entry));
        continue;
      }
      obstacles.damaged += 1;
      notes.failure(tooLarge(entry));
    }
  });
  return obstacles.damaged > 0 ? ExitCode.findings : ExitCode.fine;
}

const tooLarge = ({ index, size }: { readonly index: number; readonly size: number }): DurostoreError =>
  new DurostoreError(
    'RECORD_TOO_LARGE',
    `record ${index} has ${grouped(size)} bytes, too many for a line of JSON, and is not exported. Read it with readStream, or with dump --raw`,
  );
