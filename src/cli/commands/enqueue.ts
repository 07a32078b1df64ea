import { type Command, Option } from 'commander';
import { DurostoreError, type EnqueueOptions, openQueue, type Queue } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { inputLines } from '../input-lines.js';
import { type MessageForm, type MessageFormOptions, messageForm, messageOf } from '../message-values.js';
import { counted } from '../numbers.js';
import { closing } from '../opened.js';
import { atLeast, between, nameAndValue, shortName } from '../option-values.js';
import { OutputClosed } from '../output.js';
import { withProgress } from '../progress.js';
import type { Session, Start } from '../session.js';
import { VISITOR } from '../visitor.js';

interface Options extends CommonOptions, MessageFormOptions {
  readonly durability: 'written' | 'synced';
  readonly header?: Record<string, string>;
  readonly whenFull: 'fail' | 'wait';
  readonly maxFiles?: number;
  readonly maxFileSize?: number;
  readonly quiet?: boolean;
  readonly id?: string;
  readonly idWindow: number;
  readonly delay?: number;
  readonly priority?: number;
  readonly front?: boolean;
  readonly key?: string;
}

/** As the library has it: more than a hundred years is a mistake. */
const LONGEST_MS = 100 * 366 * 24 * 3600 * 1000;

export const enqueue = (start: Start): Command =>
  directoryCommand('enqueue', {
    summary: 'enqueue values, or the lines of standard input',
    description:
      'Enqueues each value, or, where none is given, each line of standard input, and prints the indexes, a line each. ' +
      'A line is everything before a newline and is stored as a string. Lines that come together are written together, ' +
      'up to a thousand at a time; an index is printed when its message is as durable as asked. A reader that goes ' +
      'away hears of no more indexes, and the input is enqueued to its end all the same.',
    directory:
      'is created if it is missing. Options that bound a store are not recorded in it: give those that the other ' +
      'programs have.',
    exit:
      '0 everything was enqueued; 2 something was not: standard error says what, what to do, and how many lines were ' +
      'enqueued before.',
    examples: [
      ['durostore enqueue mail hello "good bye"', 'two messages'],
      ['durostore enqueue mail < lines.txt', 'a message a line'],
      ['jq -c .[] orders.json | durostore enqueue mail --json-lines', 'JSON values, not strings'],
      ['durostore enqueue mail --header kind=test -- --dashed', 'with a header; a value that begins with -'],
      ['durostore enqueue mail --id order-7 "pay 7"', 'stored once, however often it is called'],
      ['durostore enqueue mail --delay 60000 --priority 9 later', 'in a minute, before all others'],
    ],
  })
    .argument('[values...]', 'the messages (default: the lines of standard input)')
    .option('--json-lines', 'lines and values are JSON')
    .addOption(
      new Option('--codec <name>', 'how they are stored: as JSON, or as bytes that nobody looks into')
        .choices(['json', 'bytes'])
        .default('json'),
    )
    .addOption(
      new Option(
        '--durability <level>',
        'what an index on the output survives: the death of every process, a power cut',
      )
        .choices(['written', 'synced'])
        .default('synced'),
    )
    .option('--header <name=value>', 'for every message; may be given more than once', nameAndValue)
    .addOption(
      new Option('--when-full <what>', 'what to do where maxFiles are full')
        .choices(['fail', 'wait'])
        .default('fail'),
    )
    .option('--max-files <count>', 'the most segments at a time', atLeast(1))
    .option('--max-file-size <bytes>', "bytes of one segment's data file", atLeast(1))
    .option(
      '--id <id>',
      'of one message: while the id is remembered, prints the index that it got first',
      shortName,
    )
    .addOption(
      new Option(
        '--id-window <ms>',
        "how long ids are remembered: the other programs' deduplication.windowMs",
      )
        .argParser(between(0, LONGEST_MS))
        .default(120_000),
    )
    .option('--delay <ms>', 'not to be had before so long', between(0, LONGEST_MS))
    .option('--priority <0-9>', 'higher ones come first (default: 0)', between(0, 9))
    .option(
      '--front',
      'before everything of its priority that is there; those written together keep their order',
    )
    .option('--key <key>', 'handled one at a time with others of this key', shortName)
    .option('-q, --quiet', 'print no indexes')
    .action((directory: string, values: readonly string[], options: Options, command: Command) => {
      if (options.id !== undefined && values.length > 1) oneOnly(command, 'value');
      return start(whereOf(directory, options), (session) => add(session, values, options, command));
    });

/** ⚑ Before anything is written: an id for several would be one for all of them. */
const oneOnly = (command: Command, what: 'line' | 'value'): never =>
  command.error(`error: option '--id <id>' is for one ${what}, and there are several`);

async function add(
  session: Session,
  values: readonly string[],
  options: Options,
  command: Command,
): Promise<number> {
  const { directory, filePrefix, signal } = session;
  const { durability, header, whenFull, maxFiles, maxFileSize, codec, id } = options;
  const bounds = { whenFull, maxFiles, maxFileSize };
  if (values.length === 0 && process.stdin.isTTY && !session.json)
    session.notes.note('reads a message a line; Ctrl-D ends', {});
  const what = values.length > 0 ? 'value' : 'line';
  let lines = values.length > 0 ? only(values) : inputLines(process.stdin, signal);
  if (id !== undefined && what === 'line') lines = only(await theLine(lines, command));
  // Who asks by an id means one that the other programs remember.
  const window = id === undefined ? undefined : { deduplication: { windowMs: options.idWindow } };
  const own = { ...VISITOR, ...window };
  const opened = await openQueue<unknown>({ directory, filePrefix, signal, codec, ...bounds, ...own });
  await closing(opened, (queue) => {
    const { delay: delayMs, priority, front, key } = options;
    const call = { durability, headers: header, signal, id, delayMs, priority, front, key };
    const adding = new Adding(queue, session, messageForm(options), call, options.quiet === true);
    return adding.all(lines, what);
  });
  return ExitCode.fine;
}

/** The only line there is, or none. */
async function theLine(source: AsyncIterable<readonly Buffer[]>, command: Command): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const lines of source) {
    found.push(...lines);
    if (found.length > 1) oneOnly(command, 'line');
  }
  return found;
}

async function* only(values: readonly (string | Buffer)[]): AsyncGenerator<Buffer[], undefined> {
  yield values.map((value) => Buffer.from(value));
}

const LARGEST_BATCH = 1000;

/** Turns lines into messages, and tells what became of them. */
class Adding {
  readonly #queue: Queue<unknown>;
  readonly #session: Session;
  readonly #form: MessageForm;
  readonly #call: EnqueueOptions;
  #quiet: boolean;
  #what: 'line' | 'value' = 'line';
  #count = 0;
  #last: number | undefined;

  constructor(
    queue: Queue<unknown>,
    session: Session,
    form: MessageForm,
    call: EnqueueOptions,
    quiet: boolean,
  ) {
    this.#queue = queue;
    this.#session = session;
    this.#form = form;
    this.#call = call;
    this.#quiet = quiet;
  }

  async all(source: AsyncIterable<readonly Buffer[]>, what: 'line' | 'value'): Promise<void> {
    this.#what = what;
    try {
      // Standard output has the terminal where it shows the indexes.
      const format = this.#quiet || !this.#session.out.isTerminal ? 'enqueued {value}' : undefined;
      await withProgress(format, async (progress) => {
        for await (const lines of source) {
          for (const batch of batchesOf(lines)) {
            await this.#add(batch);
            progress.update(this.#count, 0);
          }
        }
      });
    } catch (error) {
      this.#tellProgress();
      throw error;
    }
  }

  /** What is no message ends it, and what stands before that is enqueued. */
  async #add(batch: readonly Buffer[]): Promise<void> {
    this.#session.signal.throwIfAborted();
    const values: unknown[] = [];
    let wrong: unknown;
    for (const line of batch) {
      try {
        values.push(messageOf(line, this.#form, `${this.#what} ${this.#count + values.length + 1}`));
      } catch (error) {
        wrong = error;
        break;
      }
    }
    await this.#write(values);
    if (wrong !== undefined) throw wrong;
  }

  /** A batch must fit into a file as a whole: one that does not is written in parts. */
  async #write(values: readonly unknown[]): Promise<void> {
    let indexes: readonly number[];
    try {
      indexes = await this.#queue.enqueueMany(values, this.#call);
    } catch (error) {
      if (values.length < 2 || !isTooLarge(error)) throw error;
      const half = values.length >> 1;
      await this.#write(values.slice(0, half));
      await this.#write(values.slice(half));
      return;
    }
    this.#count += indexes.length;
    this.#last = indexes.at(-1) ?? this.#last;
    await this.#tell(indexes);
  }

  async #tell(indexes: readonly number[]): Promise<void> {
    if (this.#quiet) return;
    const { json, out } = this.#session;
    const lines = indexes.map((index) => (json ? `{"index":${index}}\n` : `${index}\n`));
    try {
      await out.put(lines.join(''));
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
      this.#quiet = true;
    }
  }

  #tellProgress(): void {
    const last = this.#last === undefined ? '' : `, the last as index ${this.#last}`;
    const enqueued = `${counted(this.#count, this.#what)} ${this.#count === 1 ? 'was' : 'were'} enqueued`;
    this.#session.notes.note(`${enqueued}${last}`, {
      enqueued: { count: this.#count, lastIndex: this.#last ?? null },
    });
  }
}

function* batchesOf(lines: readonly Buffer[]): Generator<readonly Buffer[]> {
  for (let at = 0; at < lines.length; at += LARGEST_BATCH) yield lines.slice(at, at + LARGEST_BATCH);
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof DurostoreError && error.code === 'RECORD_TOO_LARGE';
