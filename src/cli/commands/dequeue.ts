import { type Command, Option } from 'commander';
import { CodecError, CorruptError, type Delivery, openQueue, type Queue } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { holding } from '../holding.js';
import type { IndexRange } from '../index-ranges.js';
import { untilInterrupted } from '../interruption.js';
import { KEYLESS } from '../keyless.js';
import { lineOf, type MessageForm, type MessageFormOptions, messageForm } from '../message-values.js';
import { closing } from '../opened.js';
import { atLeast } from '../option-values.js';
import type { Session, Start } from '../session.js';
import { inJson } from '../text.js';
import { assertThere } from '../there.js';
import { VISITOR } from '../visitor.js';

interface Options extends CommonOptions, MessageFormOptions {
  readonly max?: number;
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly wait?: number;
  readonly atMostOnce?: boolean;
}

export const dequeue = (start: Start): Command =>
  directoryCommand('dequeue', {
    summary: 'take messages off a queue, and print them',
    description:
      'Takes the first message, or as many as asked for, and prints them, a line each: strings as they are, other ' +
      'values as JSON. A message is acknowledged, and gone, when the system has it for the reader of the output; one ' +
      'that could not be printed goes back to its place in line. So none is lost but with a power cut, which may take ' +
      'what a file was given last, and one may be printed twice where the program dies in between. What a reader leaves unread in a pipe was handed over: ask for no more than it takes. ' +
      '--at-most-once removes each message before it is printed: none comes twice, and one may be lost.',
    directory:
      'loses the messages that were printed. It is opened as by any program: who is first mends what a crash left. ' +
      'Nothing is created where there is no store.',
    exit:
      '0 fine, also where no message was there, or --follow is interrupted; 2 it could not be done. A message at the ' +
      'head that cannot be decoded (CODEC) or read (CORRUPT) stays and keeps the others waiting: standard error names ' +
      'its index, and durostore delete removes it.',
    examples: [
      ['durostore dequeue mail', 'the first message, if there is one'],
      ['durostore dequeue mail --max 5 --wait 1000', 'up to five; waits a second for each'],
      ['durostore dequeue mail --all > lines.txt', 'everything that waits'],
      ['durostore dequeue mail --follow | ./handle-lines', 'whatever comes'],
    ],
  })
    .option('--max <count>', 'at most so many (default: 1; with --follow: no limit)', atLeast(0))
    .addOption(new Option('--all', 'everything that waits').conflicts('max'))
    .option('-f, --follow', 'wait for more')
    .option('--wait <ms>', 'wait so long for a message (default: 0; with --follow: for ever)', atLeast(0))
    .option('--json-lines', 'print every value as JSON, strings too')
    .addOption(
      new Option('--codec <name>', 'how they are stored: as JSON, or as bytes that nobody looks into')
        .choices(['json', 'bytes'])
        .default('json'),
    )
    .option('--at-most-once', 'remove each message before it is printed')
    .action((directory: string, options: Options) =>
      start(whereOf(directory, options), (session) => take(session, options)),
    );

async function take(session: Session, options: Options): Promise<number> {
  const { directory, filePrefix, signal } = session;
  const { all, follow, wait, codec, atMostOnce } = options;
  await assertThere(session);
  const opened = await openQueue<unknown>({
    directory,
    filePrefix,
    signal,
    codec,
    transforms: KEYLESS,
    ...VISITOR,
  });
  await closing(opened, (queue) =>
    untilInterrupted(signal, follow === true, async () => {
      const takeSome = atMostOnce ? removeOne : claimSome;
      const form = messageForm(options);
      const waitMs = wait ?? (follow ? Number.POSITIVE_INFINITY : 0);
      let left = options.max ?? (all || follow ? Number.POSITIVE_INFINITY : 1);
      let inHand = 1;
      while (left > 0) {
        const wanted = Math.min(left, inHand);
        const { count, size } = await takeSome(queue, session, form, wanted, waitMs).catch((error) =>
          tellRemedy(error, session),
        );
        if (count === 0) break;
        left -= count;
        inHand = Math.min(MOST_IN_HAND, Math.max(1, Math.floor((SIZE_IN_HAND * count) / size)));
      }
    }),
  );
  return ExitCode.fine;
}

/** A message that nobody can have keeps those behind it waiting until somebody removes it. */
function tellRemedy(error: unknown, { notes }: Session): never {
  const range = unreadableIn(error);
  if (range !== undefined) {
    const { from, to } = range;
    const indexes = from === to ? `${from}` : `${from}-${to}`;
    const what = `what cannot be read keeps those behind it waiting: durostore delete DIR ${indexes} removes it`;
    notes.note(what, { unreadable: range });
  }
  throw error;
}

function unreadableIn(error: unknown): IndexRange | undefined {
  if (error instanceof CorruptError) return error.indexes;
  return error instanceof CodecError && error.index !== undefined
    ? { from: error.index, to: error.index }
    : undefined;
}

/** What is in hand at a time, as far as the last messages tell: what a death gives back, and memory holds. */
const MOST_IN_HAND = 100;
const SIZE_IN_HAND = 1024 * 1024;
const LEASE_MS = 30_000;
/** How long an interruption waits for the reader of what was printed. */
const PATIENCE_MS = 200;

/** How many messages were printed, and how long they were. */
interface Printed {
  readonly count: number;
  readonly size: number;
}

/** ⚑ Prints, hands over, and only then acknowledges. */
async function claimSome(
  queue: Queue<unknown>,
  { out, json, signal }: Session,
  form: MessageForm,
  max: number,
  waitMs: number,
): Promise<Printed> {
  const deliveries = await queue.claimMany(max, { waitMs, signal, leaseMs: LEASE_MS });
  let size = 0;
  const printed: Delivery<unknown>[] = [];
  try {
    await holding(deliveries, LEASE_MS, async () => {
      for (const delivery of deliveries) {
        const line = json ? asJson(delivery) : lineOf(delivery.value, form);
        size += line.length;
        // What the signal keeps from being printed is not acknowledged below.
        signal.throwIfAborted();
        printed.push(delivery);
        await out.put(line);
      }
      if (deliveries.length > 0) await out.handOver();
    });
  } catch (error) {
    // What the reader has need not come again, if it takes it at once.
    if (signal.aborted && (await out.isHandedOver(PATIENCE_MS))) await acknowledge(printed);
    throw error;
  }
  await acknowledge(printed);
  return { count: deliveries.length, size };
}

async function acknowledge(deliveries: readonly Delivery<unknown>[]): Promise<void> {
  await Promise.all(deliveries.map((delivery) => delivery.ack()));
}

async function removeOne(
  queue: Queue<unknown>,
  { out, json, signal }: Session,
  form: MessageForm,
  _max: number,
  waitMs: number,
): Promise<Printed> {
  const [value] = await queue.dequeueMany(1, { waitMs, signal });
  if (value === undefined) return { count: 0, size: 0 };
  const line = json ? `${JSON.stringify(valueInJson(value))}\n` : lineOf(value, form);
  // What is still in this program when it ends is lost: no more than this one, and not for want of trying.
  if (signal.aborted) await out.isHandedOver(PATIENCE_MS, line);
  await out.put(line);
  await out.handOver();
  return { count: 1, size: 1 };
}

function asJson({ index, enqueuedAt, attempt, headers, value }: Delivery<unknown>): string {
  const fields = { index, time: enqueuedAt.toISOString(), attempt, headers, ...valueInJson(value) };
  return `${JSON.stringify(fields)}\n`;
}

const valueInJson = (value: unknown): Record<string, unknown> =>
  value instanceof Uint8Array ? inJson('value', value) : { value };
