/** Readers in several processes that follow one writer, for tests and for whoever wants more of them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from '../../src/mod.js';
import { type Program, type Starter, startProgram } from '../support/processes.js';
import { until } from '../support/until.js';
import type { ReaderOrder, Reading } from './reader-child.js';
import { recordsOf } from './reader-records.js';

type Options = Omit<StoreOptions, 'directory' | 'clock' | 'signal' | 'transforms'>;

const isOpened = (message: unknown): message is { opened: true } =>
  typeof message === 'object' && message !== null && 'opened' in message;
const isBegun =
  (id: number) =>
  (message: unknown): message is { begun: true } =>
    typeof message === 'object' &&
    message !== null &&
    'id' in message &&
    message.id === id &&
    'begun' in message;
const isReading =
  (id: number) =>
  (message: unknown): message is { reading: Reading } =>
    typeof message === 'object' &&
    message !== null &&
    'id' in message &&
    message.id === id &&
    'reading' in message;

/** A reader in another process whose call to begin has returned. */
export interface Following extends ReaderOrder {
  /** When it is at the end. */
  readonly read: Promise<Reading>;
}

/** Processes that have a store open for readers. */
export class ReaderProcesses {
  readonly #programs: readonly Program[];
  readonly #withinMs: number;
  #readers = 0;

  private constructor(programs: readonly Program[], withinMs: number) {
    this.#programs = programs;
    this.#withinMs = withinMs;
  }

  static async start(
    starter: Starter,
    count: number,
    orders: { readonly directory: string; readonly options: Options },
    withinMs: number,
  ): Promise<ReaderProcesses> {
    const programs = Array.from({ length: count }, () =>
      startProgram(starter, 'test/processes/reader-child.js', { args: [JSON.stringify(orders)] }),
    );
    await Promise.all(programs.map((program) => program.message(isOpened)));
    return new ReaderProcesses(programs, withinMs);
  }

  /** Begins another reader, in each process in turn. */
  async begin(order: Omit<ReaderOrder, 'id'>): Promise<Following> {
    const id = this.#readers;
    this.#readers += 1;
    const program = this.#programs[id % this.#programs.length];
    if (program === undefined) throw new Error('no process');
    const read = program.message(isReading(id), this.#withinMs).then(({ reading }) => reading);
    // It is told where it is awaited.
    read.catch(() => undefined);
    program.send({ ...order, id });
    await program.message(isBegun(id));
    return { ...order, id, read };
  }

  /** Lets all of them end. */
  async kill(): Promise<void> {
    for (const program of this.#programs) await program.kill();
  }
}

/** The files of segments: which one, and how many bytes, data and entries together. In their order. */
function segments(directory: string): { first: number; bytes: number }[] {
  const found = new Map<number, number>();
  for (const name of readdirSync(directory)) {
    const number = /_(\d+)\.(dat|idx)$/.exec(name)?.[1];
    if (number === undefined) continue;
    try {
      const { size } = statSync(join(directory, name));
      found.set(Number(number), (found.get(Number(number)) ?? 0) + size);
    } catch {
      // Gone since it was listed.
    }
  }
  return [...found].map(([first, bytes]) => ({ first, bytes })).sort((a, b) => a.first - b.first);
}

const sum = (all: readonly { bytes: number }[]): number => all.reduce((bytes, one) => bytes + one.bytes, 0);

/** Bytes of the segments' files, data and entries. */
const segmentBytes = (directory: string): number => sum(segments(directory));

/** The same of those that hold records from an index on and are no more written to. */
function sealedBytes(directory: string, from: number): number {
  const all = segments(directory);
  return sum(all.filter((_, at) => (all[at + 1]?.first ?? 0) > from));
}

export interface ElevenResult {
  readonly readings: readonly (Reading & { readonly what: string; readonly isRight: boolean })[];
  /** Of each named consumer: what is committed, how far it is behind, and how many have it open. */
  readonly consumers: readonly (readonly [number, number, number])[];
  readonly writtenMs: number;
  readonly readMs: number;
}

const PROCESSES = 4;
const READERS = 11;
const WITHIN_MS = 600_000;

/**
 * Eleven readers in four processes follow one writer: some from what comes before there is anything, some from the first and some from what
 * comes while it is being written; four of them named consumers.
 */
export async function elevenReaders(
  starter: Starter,
  directory: string,
  total: number,
  options: Options,
): Promise<ElevenResult> {
  const store: Store = await openStore({ ...options, directory });
  starter.teardown(() => store.close());
  const processes = await ReaderProcesses.start(starter, PROCESSES, { directory, options }, WITHIN_MS);
  const batch = Math.max(1, Math.ceil(total / 400));
  let [begun, acknowledged] = [0, 0];
  const write = async (upTo: number): Promise<void> => {
    while (acknowledged < upTo) {
      begun = Math.min(total, acknowledged + batch);
      const indexes = await store.writeMany(recordsOf(acknowledged + 1, begun));
      acknowledged = indexes.at(-1) ?? 0;
      if (acknowledged !== begun) throw new Error(`${acknowledged} where ${begun} was to be`);
    }
  };
  const following: (Following & { readonly least: number; most: number })[] = [];
  const begin = async (from: 'first' | 'next', how: ReaderOrder['how']): Promise<void> => {
    const least = from === 'first' ? 1 : acknowledged + 1;
    const reader = await processes.begin({ how, from, to: total, restMs: 0 });
    // What is being written when the call returns may have come before it or behind it.
    following.push({ ...reader, least, most: from === 'first' ? 1 : begun + 1 });
  };
  const start = performance.now();
  for (let n = 0; n < READERS - 6; n++) await begin('next', n % 2 === 0 ? 'entries' : 'consumer');
  for (const from of ['first', 'next'] as const)
    for (const how of ['entries', 'consumer', 'entries'] as const)
      await Promise.all([write(acknowledged + Math.ceil(total / 10)), begin(from, how)]);
  await write(total);
  const writtenMs = performance.now() - start;
  const readings = [];
  for (const { read, how, from, least, most } of following) {
    const reading = await read;
    const isRight =
      reading.first >= least &&
      reading.first <= most &&
      reading.next === total + 1 &&
      reading.read === total + 1 - reading.first &&
      reading.missed === 0 &&
      reading.odd.length === 0;
    readings.push({ ...reading, isRight, what: `${how} from ${from}, ${least} to ${most}` });
  }
  const readMs = performance.now() - start;
  const known = await store.consumers();
  const consumers = known.map(({ committed, lag, holders }) => [committed, lag, holders] as const);
  await processes.kill();
  return { readings, consumers, writtenMs, readMs };
}

export interface RetentionResult {
  readonly readings: readonly (Reading & { readonly isRight: boolean })[];
  /** The most bytes that segments with something in them had, beside the one that is written, and what they may have. */
  readonly mostKept: number;
  /** The most bytes that were in the files of segments at any look, those among them that are gone and not yet unlinked. */
  readonly mostOnDisk: number;
  /** First index of the oldest record in the end. */
  readonly oldest: number;
}

const RETENTION_READERS = 8;
/** Entries of the records that one file has room for, and a header. */
const entriesOf = (maxFileSize: number): number => 64 + Math.ceil(maxFileSize / 48) * 32;

/**
 * Eight readers in four processes follow a writer whose records go by retention, some of them too slow for it. All that stands in the
 * directory is looked at again and again; now and then the writer waits until no more than that is on the disk which may be.
 */
export async function readersUnderRetention(
  starter: Starter,
  directory: string,
  total: number,
  { maxBytes, ...options }: Options & { readonly maxBytes: number; readonly maxFileSize: number },
): Promise<RetentionResult> {
  const opened = { ...options, retention: { maxBytes } };
  const store = await openStore({ ...opened, directory });
  starter.teardown(() => store.close());
  const orders = { directory, options: opened };
  const processes = await ReaderProcesses.start(starter, PROCESSES, orders, WITHIN_MS);
  const following: Following[] = [];
  for (let n = 0; n < RETENTION_READERS; n++)
    following.push(await processes.begin({ how: 'entries', from: 1, to: total, restMs: n < 4 ? 0 : n * 10 }));
  let [mostKept, mostOnDisk] = [0, 0];
  const look = async (): Promise<void> => {
    mostKept = Math.max(mostKept, sealedBytes(directory, await store.firstIndex()));
    mostOnDisk = Math.max(mostOnDisk, segmentBytes(directory));
  };
  const bound = maxBytes + options.maxFileSize + entriesOf(options.maxFileSize);
  for (let index = 1, batch = 0; index <= total; batch++) {
    const end = Math.min(total, index + (batch % 40));
    await store.writeMany(recordsOf(index, end));
    index = end + 1;
    await look();
    if (batch % 100 === 0)
      await until('what is gone is unlinked', () => segmentBytes(directory) <= bound, WITHIN_MS);
  }
  const readings = [];
  for (const { read } of following) {
    const reading = await read;
    const isRight =
      reading.next === total + 1 && reading.read + reading.missed === total && reading.odd.length === 0;
    readings.push({ ...reading, isRight });
  }
  const oldest = await store.firstIndex();
  await processes.kill();
  return { readings, mostKept, mostOnDisk, oldest };
}
