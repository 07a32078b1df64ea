import { type Command, Option } from 'commander';
import { CodecError, type DeadLetter, openQueue, type Queue } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { type IndexRange, indexesOf, indexRanges } from '../index-ranges.js';
import { KEYLESS } from '../keyless.js';
import { counted } from '../numbers.js';
import { closing } from '../opened.js';
import { untilClosed } from '../output.js';
import { type Obstacles, passingOver } from '../readable.js';
import { dataText } from '../record-form.js';
import type { Session, Start } from '../session.js';
import { inJson, onOneLine } from '../text.js';
import { assertThere } from '../there.js';
import { VISITOR } from '../visitor.js';

interface Options extends CommonOptions {
  readonly requeue?: readonly IndexRange[] | true;
  readonly purge?: readonly IndexRange[] | true;
  readonly all?: boolean;
}

export const dead = (start: Start): Command =>
  directoryCommand('dead', {
    summary: 'list the dead letters of a queue; requeue or purge them',
    description:
      'Prints the messages that were given up, in the order of their indexes, a line each: index, attempts, first and ' +
      'last failure, reason and value, with tabs between; values as they are stored, where that is no text as hex:… ' +
      '(in JSON as data or base64). With --requeue or --purge it prints how many dead letters that was done to: of those ' +
      'with the indexes behind it, such as 7 or 5-9, or of all.',
    directory:
      'is opened as by any program: who is first mends what a crash left. What is listed stays as it is. Requeued ' +
      'messages wait again at their place, with no attempts counted; purged ones are gone. Either is on the device ' +
      'when the number is printed. Nothing is created where there is no store.',
    exit:
      '0 fine, also where none of them was dead; 1 some dead letters are damaged, and were passed over in the list; 2 ' +
      'it could not be done.',
    examples: [
      ['durostore dead mail', 'what was given up, and why'],
      ["durostore dead mail --json | jq -r 'select(.attempts > 3).index'", 'JSON, one a line'],
      ['durostore dead mail --requeue 7 9-12', 'these wait again'],
      ['durostore dead mail --purge --all', 'all are gone'],
    ],
  })
    .option('--requeue [index...]', 'put these back into the queue', indexRanges)
    .addOption(new Option('--purge [index...]', 'delete these').argParser(indexRanges).conflicts('requeue'))
    .option('--all', 'requeue or purge all')
    .action((directory: string, options: Options, command: Command) => {
      const work = workOf(options, command);
      return start(whereOf(directory, options), (session) => withQueue(session, work));
    });

type QueueWork = (queue: Queue<unknown>, session: Session) => Promise<number>;

/** ⚑ Nobody requeues or purges all by leaving something out. */
function workOf({ requeue, purge, all }: Options, command: Command): QueueWork {
  const which = requeue ?? purge;
  if (which === undefined) {
    if (all) command.error("error: option '--all' is for '--requeue' and '--purge'");
    return list;
  }
  const name = requeue === undefined ? 'purge' : 'requeue';
  if ((which === true) === (all !== true))
    command.error(`error: option '--${name}' takes either indexes or '--all'`);
  return (queue, session) => change(queue, session, name, which);
}

async function withQueue(session: Session, work: QueueWork): Promise<number> {
  const { directory, filePrefix, signal } = session;
  await assertThere(session);
  return closing(
    await openQueue<unknown>({ directory, filePrefix, signal, transforms: KEYLESS, ...VISITOR }),
    (queue) => work(queue, session),
  );
}

async function list({ deadLetters }: Queue<unknown>, session: Session): Promise<number> {
  const obstacles: Obstacles = { damaged: 0 };
  const walk = (from: number | undefined): AsyncIterable<DeadLetter<unknown>> => deadLetters.list({ from });
  for await (const letter of passingOver(walk, session, obstacles)) {
    if (session.json) await session.out.json(inJsonOf(letter));
    else await session.out.line(lineOf(letter));
  }
  return obstacles.damaged > 0 ? ExitCode.findings : ExitCode.fine;
}

function lineOf(letter: DeadLetter<unknown>): string {
  const { index, attempts, firstFailedAt, lastFailedAt, reason } = letter;
  const times = [firstFailedAt.toISOString(), lastFailedAt.toISOString()];
  const data = dataOf(letter);
  const text = data instanceof CodecError ? `unreadable: ${onOneLine(data.message)}` : dataText(data);
  return [index, attempts, ...times, onOneLine(reason), text].join('\t');
}

function inJsonOf(letter: DeadLetter<unknown>): Record<string, unknown> {
  const { index, attempts, reason, firstFailedAt, lastFailedAt, headers } = letter;
  return { index, attempts, reason, firstFailedAt, lastFailedAt, headers, ...valueOrData(letter) };
}

/** What another codec wrote is there as it is stored. */
function valueOrData(letter: DeadLetter<unknown>): Record<string, unknown> {
  try {
    return { value: letter.value() };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const data = dataOf(letter);
    return data instanceof CodecError ? { unreadable: data.message } : inJson('data', data);
  }
}

/** What is encrypted cannot be had here. */
function dataOf(letter: DeadLetter<unknown>): Uint8Array | CodecError {
  try {
    return letter.data;
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}

/** Those that are called together share a commit. */
const MOST_AT_A_TIME = 1000;

const DONE = { requeue: 'requeued', purge: 'purged' } as const;

async function change(
  { deadLetters, store }: Queue<unknown>,
  { out, json, notes, signal }: Session,
  name: 'requeue' | 'purge',
  which: readonly IndexRange[] | true,
): Promise<number> {
  let count = 0;
  try {
    if (which === true) {
      count = await deadLetters[name]();
    } else {
      const { firstIndex, nextIndex } = await store.stats();
      for (const indexes of indexesOf(which, { first: firstIndex, end: nextIndex }, MOST_AT_A_TIME)) {
        signal.throwIfAborted();
        const counts = await Promise.all(indexes.map((index) => deadLetters[name](index)));
        count += counts.reduce((sum, one) => sum + one, 0);
      }
    }
  } catch (error) {
    const what = `${counted(count, 'dead letter')} ${count === 1 ? 'was' : 'were'} ${DONE[name]}`;
    notes.note(what, { [DONE[name]]: count });
    throw error;
  }
  await untilClosed(json ? out.json({ [DONE[name]]: count }) : out.line(String(count)));
  return ExitCode.fine;
}
