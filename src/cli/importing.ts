import { isDeepStrictEqual } from 'node:util';
import { DurostoreError, type Queue } from '../mod.js';
import type { ExportedRecord } from './exported-records.js';
import { counted } from './numbers.js';
import type { Session } from './session.js';
import { textOf } from './text.js';

/** What messages in the store are: bytes are records as `Store.write` makes them. */
export type ImportCodec = 'json' | 'bytes';

/** A record on its way in: what the queue takes. */
export interface Incoming {
  readonly value: unknown;
  readonly bytes: number;
  readonly headers: ExportedRecord['headers'];
}

/** INVALID_VALUE where it is not what the codec has; `name` says which one it is. */
export function incoming({ data, headers }: ExportedRecord, codec: ImportCodec, name: string): Incoming {
  return { value: codec === 'bytes' ? data : fromJson(data, name), bytes: data.length, headers };
}

function fromJson(data: Uint8Array, name: string): unknown {
  const text = textOf(data);
  try {
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // Told below.
  }
  throw new DurostoreError(
    'INVALID_VALUE',
    `the data of ${name} is not JSON. Nothing of it and of what follows was imported: import without --codec json`,
  );
}

const MOST_RECORDS = 1000;
const MOST_BYTES = 1024 * 1024;

/** Appends records in their order, and knows how many are there. */
export class Importing {
  readonly #queue: Queue<unknown>;
  readonly #session: Session;
  readonly #durability: 'written' | 'synced';
  readonly #progress: (count: number) => void;
  #count = 0;
  #last: number | undefined;

  constructor(
    queue: Queue<unknown>,
    session: Session,
    durability: 'written' | 'synced',
    progress: (count: number) => void,
  ) {
    this.#queue = queue;
    this.#session = session;
    this.#durability = durability;
    this.#progress = progress;
  }

  /** So many are there, as durable as asked, and the index of the last. */
  get outcome(): { imported: number; lastIndex: number | null } {
    return { imported: this.#count, lastIndex: this.#last ?? null };
  }

  /** `source`: those that came together in one array. Where it fails, or a write does, what came before is there, and told of. */
  async all(source: AsyncIterable<readonly Incoming[]>): Promise<void> {
    try {
      for await (const records of source) {
        for (const batch of batchesOf(records)) {
          this.#session.signal.throwIfAborted();
          await this.#append(batch);
          this.#progress(this.#count);
        }
      }
    } catch (error) {
      const last = this.#last === undefined ? '' : `, the last as index ${this.#last}`;
      const were = `${counted(this.#count, 'record')} ${this.#count === 1 ? 'was' : 'were'} imported`;
      this.#session.notes.note(`${were}${last}`, this.outcome);
      throw error;
    }
  }

  /** ⚑ One sync for all of a batch, also for the part that was written before a failure: what is counted is durable. */
  async #append(batch: readonly Incoming[]): Promise<void> {
    const written: number[] = [];
    try {
      for (const run of runsOf(batch)) await this.#write(run, written);
    } finally {
      if (written.length > 0) {
        if (this.#durability === 'synced') await this.#queue.store.sync();
        this.#count += written.length;
        this.#last = written.at(-1);
      }
    }
  }

  /** A call must fit into a file as a whole: one that does not is made in parts. */
  async #write(run: readonly Incoming[], written: number[]): Promise<void> {
    const { signal } = this.#session;
    try {
      const values = run.map(({ value }) => value);
      const headers = run[0]?.headers;
      written.push(...(await this.#queue.enqueueMany(values, { headers, signal, durability: 'written' })));
    } catch (error) {
      if (run.length < 2 || !isTooLarge(error)) throw error;
      const half = run.length >> 1;
      await this.#write(run.slice(0, half), written);
      await this.#write(run.slice(half), written);
    }
  }
}

function* batchesOf(records: readonly Incoming[]): Generator<readonly Incoming[]> {
  let batch: Incoming[] = [];
  let bytes = 0;
  for (const record of records) {
    if (batch.length > 0 && (batch.length === MOST_RECORDS || bytes + record.bytes > MOST_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += record.bytes;
  }
  if (batch.length > 0) yield batch;
}

/** A call has the same headers for all its records. */
function* runsOf(batch: readonly Incoming[]): Generator<readonly Incoming[]> {
  let from = 0;
  for (let at = 1; at <= batch.length; at++) {
    if (at < batch.length && sameHeaders(batch[at - 1], batch[at])) continue;
    yield batch.slice(from, at);
    from = at;
  }
}

/** The order of their names counts: it is kept, too. */
const sameHeaders = (one: Incoming | undefined, other: Incoming | undefined): boolean =>
  isDeepStrictEqual(Object.entries(one?.headers ?? {}), Object.entries(other?.headers ?? {}));

const isTooLarge = (error: unknown): boolean =>
  error instanceof DurostoreError && error.code === 'RECORD_TOO_LARGE';
