import { type Command, Option } from 'commander';
import { foreignFiles } from '../../disk/bare-files.js';
import { openQueue } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { exportedRecord, LONGEST_EXPORTED_LINE } from '../exported-records.js';
import { assertElsewhere, goPlace } from '../go-files.js';
import { goRecords } from '../go-records.js';
import { goContents } from '../go-store.js';
import { type ImportCodec, Importing, type Incoming, incoming } from '../importing.js';
import { inputLines } from '../input-lines.js';
import { closing } from '../opened.js';
import { atLeast } from '../option-values.js';
import { untilClosed } from '../output.js';
import { withProgress } from '../progress.js';
import type { Session, Start } from '../session.js';
import { VISITOR } from '../visitor.js';

interface Options extends CommonOptions {
  readonly codec: ImportCodec;
  readonly durability: 'written' | 'synced';
  readonly whenFull: 'fail' | 'wait';
  readonly maxFiles?: number;
  readonly maxFileSize?: number;
  readonly durostoreGo?: string;
  readonly goPrefix?: string;
}

export const importation = (start: Start): Command =>
  directoryCommand('import', {
    summary: 'append the records of an export, or of a Go Durostore',
    description:
      'Appends a record for each line that export has written, with its data and headers, in their order, behind those ' +
      'that are there, and prints how many they were. Indexes and times are new: those in the lines are not taken over. ' +
      'Up to a thousand records or 1 MiB are made durable together. A line that is no record ends it. ' +
      'With --durostore-go it takes a store of the Go library of that name as it is: the records that are not deleted, ' +
      'in the order of their indexes. What cannot be told there is told of on standard error, and not guessed at; ' +
      'end the programs that work there first.',
    directory:
      'is created if it is missing. Options that bound a store are not recorded in it: give those that the other ' +
      'programs have. What is imported is only read.',
    exit:
      '0 everything was imported; 1 so was everything of a Go Durostore that could be told; 2 something was not: ' +
      'standard error says what, what to do, and how many records were imported before.',
    examples: [
      ['durostore export mail | durostore import copy', 'a copy'],
      ['durostore import copy mail.jsonl --durability written', 'from a file'],
      ['durostore import mail mail.jsonl --codec json', 'messages of a queue'],
      ['durostore import new --durostore-go /var/lib/old', 'the only store there'],
      ['durostore import new --durostore-go config.json', 'where its configuration says'],
    ],
  })
    .argument('[file]', 'an export (default: standard input)')
    .addOption(
      new Option(
        '--codec <name>',
        'what becomes of the data: records by index, which are messages of the codec bytes, or JSON messages',
      )
        .choices(['json', 'bytes'])
        .default('bytes'),
    )
    .addOption(
      new Option('--durability <level>', 'what a count survives: the death of every process, a power cut')
        .choices(['written', 'synced'])
        .default('synced'),
    )
    .addOption(
      new Option('--when-full <what>', 'what to do where maxFiles are full')
        .choices(['fail', 'wait'])
        .default('fail'),
    )
    .option('--max-files <count>', 'the most segments at a time', atLeast(1))
    .option('--max-file-size <bytes>', "bytes of one segment's data file", atLeast(1))
    .option('--durostore-go <path>', "a Go Durostore's directory, or its configuration (JSON or flat YAML)")
    .option('--go-prefix <name>', 'its file_prefix, where the directory has several stores')
    .action((directory: string, file: string | undefined, options: Options, command: Command) => {
      const { durostoreGo, goPrefix } = options;
      if (durostoreGo !== undefined && file !== undefined)
        command.error("error: option '--durostore-go <path>' takes no file beside it");
      if (durostoreGo === undefined && goPrefix !== undefined)
        command.error("error: option '--go-prefix <name>' goes with '--durostore-go <path>'");
      return start(whereOf(directory, options), (session) =>
        durostoreGo === undefined ? fromLines(session, file, options) : fromGo(session, durostoreGo, options),
      );
    });

async function fromLines(session: Session, file: string | undefined, options: Options): Promise<number> {
  if (file === undefined && process.stdin.isTTY && !session.json)
    session.notes.note('reads a record a line; Ctrl-D ends', {});
  const source = file === undefined ? process.stdin : foreignFiles.stream(file);
  const lines = inputLines(source, session.signal, LONGEST_EXPORTED_LINE);
  await append(session, recordsOf(lines, options.codec), options, {});
  return ExitCode.fine;
}

/** What stands before a line that is no record comes first. */
async function* recordsOf(
  source: AsyncIterable<readonly Buffer[]>,
  codec: ImportCodec,
): AsyncGenerator<Incoming[], undefined> {
  let count = 0;
  for await (const lines of source) {
    const records: Incoming[] = [];
    try {
      for (const line of lines) {
        const name = `line ${count + 1}`;
        records.push(incoming(exportedRecord(line, name), codec, name));
        count += 1;
      }
    } catch (error) {
      yield records;
      throw error;
    }
    yield records;
  }
}

async function fromGo(session: Session, path: string, options: Options): Promise<number> {
  const { directory, notes } = session;
  const place = await goPlace(path, options.goPrefix);
  assertElsewhere(place, directory);
  const { records, findings } = goContents(place);
  for (const finding of findings) notes.note(`${finding.file}: ${finding.what}`, { finding });
  await append(session, goRecords(place, records, options.codec), options, { findings: findings.length });
  return findings.length > 0 ? ExitCode.findings : ExitCode.fine;
}

/** `also`: what JSON has beside the outcome. */
async function append(
  session: Session,
  source: AsyncIterable<readonly Incoming[]>,
  options: Options,
  also: Readonly<Record<string, number>>,
): Promise<void> {
  const { directory, filePrefix, signal, json, out } = session;
  const { codec, durability, whenFull, maxFiles, maxFileSize } = options;
  const bounds = { whenFull, maxFiles, maxFileSize };
  const opened = await openQueue<unknown>({ directory, filePrefix, signal, codec, ...bounds, ...VISITOR });
  const outcome = await closing(opened, (queue) =>
    withProgress('imported {value}', async (progress) => {
      const importing = new Importing(queue, session, durability, (count) => progress.update(count, 0));
      await importing.all(source);
      return importing.outcome;
    }),
  );
  await untilClosed(json ? out.json({ ...outcome, ...also }) : out.line(String(outcome.imported)));
}
