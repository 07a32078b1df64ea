import type { Disk } from '../disk/disk.js';
import { osDisk } from '../disk/os.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import type { Consumer, ConsumerInfo, ConsumerOptions } from './consumer-contract.js';
import { Consumers } from './consumers.js';
import type { Store, StoreTransaction } from './contract.js';
import { countUp } from './count-up.js';
import { deleteRecords } from './deletion.js';
import { Engine } from './engine.js';
import { checkTime, type Entry, type EntryRange, toEntry } from './entries.js';
import { readEntries } from './entry-walk.js';
import {
  checkBytes,
  checkIndex,
  invalid,
  resolveStoreOptions,
  type StoreOptions,
  wholeNumber,
} from './options.js';
import { readStats, type StoreStats, sizeOf } from './stats.js';
import { readStream } from './stream-reader.js';
import { StreamWriter } from './stream-writer.js';
import { transact } from './transaction.js';
import { type ResolvedWriteOptions, resolveWriteOptions, type WriteOptions } from './write-options.js';

/**
 * Opens a store, creating the directory if it is missing. The first opener in a directory mends what a crash left.
 *
 * Rejects with INVALID_OPTION, MISMATCH (another locking mode than the directory's), LOCK_UNAVAILABLE,
 * UNSUPPORTED_VERSION (nothing was touched), CORRUPT (the facts are damaged), DISK_FULL, or `signal.reason`.
 */
export function openStore(options: StoreOptions): Promise<Store> {
  return openStoreOn(osDisk, options);
}

/** The same on another disk: where tests put theirs. */
export async function openStoreOn(disk: Disk, options: StoreOptions, spoolFrom?: number): Promise<Store> {
  const engine = await Engine.open(disk, resolveStoreOptions(options, new Set()));
  return new EngineStore(engine, () => engine.close(), spoolFrom);
}

/** The face of an engine that shows records. */
export class EngineStore implements Store {
  readonly #engine: Engine;
  readonly #consumers: Consumers;
  readonly #close: () => Promise<void>;
  readonly #spoolFrom: number | undefined;

  /** `close` frees what stands on the engine beside this face, and the engine. `spoolFrom`: from when on a stream is spooled. */
  constructor(engine: Engine, close: () => Promise<void> = () => engine.close(), spoolFrom?: number) {
    this.#engine = engine;
    this.#consumers = new Consumers(engine);
    this.#close = close;
    this.#spoolFrom = spoolFrom;
  }

  async write(data: Uint8Array, options?: WriteOptions): Promise<number> {
    const { headers, durable, signal } = this.#writeOptions(options);
    checkBytes('data', data);
    return this.#engine.writer.writeOne({ payload: data, headers }, durable, signal);
  }

  async writeMany(batch: readonly Uint8Array[], options?: WriteOptions): Promise<number[]> {
    const { headers, durable, signal } = this.#writeOptions(options);
    if (!Array.isArray(batch)) throw invalid('batch', 'an array of Uint8Array', batch);
    let at = 0;
    for (const data of batch) {
      if (!(data instanceof Uint8Array)) checkBytes(`batch[${at}]`, data);
      at += 1;
    }
    this.#engine.assertUsable();
    if (batch.length === 0) return [];
    const { length: count } = batch;
    const first = await this.#engine.writer.writeAlike(batch, { headers }, durable, signal);
    return countUp(first, count);
  }

  async writeStream(source: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<number> {
    const resolved = this.#writeOptions(options);
    if (typeof source !== 'object' || source === null || typeof source[Symbol.asyncIterator] !== 'function')
      throw invalid('source', 'an async iterable of Uint8Array', source);
    this.#engine.assertUsable();
    return this.#engine.streams.through(
      new StreamWriter(this.#engine, this.#spoolFrom).write(source, resolved),
    );
  }

  async readStream(index: number): Promise<ReadableStream<Uint8Array> | undefined> {
    this.#engine.assertOpen();
    return readStream(this.#engine, checkIndex(index));
  }

  transaction(work: (tx: StoreTransaction) => void): Promise<number[]> {
    return transact(this.#engine, work);
  }

  async read(index?: number): Promise<Uint8Array | undefined> {
    this.#engine.assertOpen();
    if (index === undefined) this.#engine.catchUp();
    const record = this.#engine.read(
      index === undefined ? this.#engine.firstIndex : checkIndex(index),
      LARGE_BYTES,
    );
    // Awaiting costs a turn of the microtasks, also where there is nothing to await.
    const slow = this.#engine.slowly(record);
    const read = slow === undefined ? record : await slow;
    return read && this.#engine.plain(read).payload;
  }

  async entry(index: number): Promise<Entry | undefined> {
    this.#engine.assertOpen();
    const record = await this.#engine.readInTurns(checkIndex(index));
    return record && toEntry(record, this.#engine.options.transforms);
  }

  entries(range: EntryRange = {}): AsyncIterableIterator<Entry> {
    return readEntries(this.#engine, range);
  }

  async delete(indexes: number | readonly number[]): Promise<number> {
    const list = typeof indexes === 'number' ? [indexes] : indexes;
    if (!Array.isArray(list)) throw invalid('indexes', 'an index or an array of them', indexes);
    for (const index of list) checkIndex(index);
    return deleteRecords(this.#engine, list);
  }

  async deleteFirst(): Promise<number | undefined> {
    const engine = this.#engine;
    engine.assertUsable();
    engine.catchUp();
    const deleted = await engine.decider.decide((facts) => {
      engine.tail.catchUp();
      const index = engine.firstIndex;
      if (!engine.has(index)) return undefined;
      facts.gone(index, index + 1);
      return index;
    }, engine.durable);
    if (deleted !== undefined) engine.sweeper.check(deleted);
    return deleted;
  }

  async prune(before?: number): Promise<void> {
    const engine = this.#engine;
    const limit = wholeNumber('before', before, Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER);
    engine.assertUsable();
    await engine.decider.decide((facts) => {
      engine.tail.catchUp();
      const from = engine.firstIndex;
      const to = Math.min(limit, engine.tail.nextIndex);
      if (from < to) facts.gone(from, to);
    }, engine.durable);
    engine.sweeper.checkAll();
    engine.compactor.touchAll();
    await engine.sweeper.idle();
  }

  async copyTo(directory: string): Promise<void> {
    if (typeof directory !== 'string' || directory === '') throw invalid('directory', 'a path', directory);
    this.#engine.assertUsable();
    await this.#engine.copier.copyTo(directory);
  }

  async firstIndex(): Promise<number> {
    this.#look();
    return this.#engine.firstIndex;
  }

  async nextIndex(): Promise<number> {
    this.#look();
    return this.#engine.tail.nextIndex;
  }

  async indexAt(time: Date | number): Promise<number> {
    const ms = checkTime('time', time);
    this.#look();
    return this.#engine.indexAt(ms);
  }

  async length(): Promise<number> {
    this.#look();
    return this.#engine.length;
  }

  async size(): Promise<number> {
    this.#look();
    return sizeOf(this.#engine);
  }

  async stats(): Promise<StoreStats> {
    this.#look();
    return readStats(this.#engine);
  }

  async refresh(): Promise<void> {
    this.#look();
  }

  async sync(): Promise<void> {
    this.#engine.assertUsable();
    this.#engine.catchUp();
    await this.#engine.syncer.upTo(this.#engine.tail.nextIndex - 1);
    await this.#engine.syncFacts();
  }

  consumer(name: string, options?: ConsumerOptions): Promise<Consumer> {
    return this.#consumers.open(name, options);
  }

  async consumers(): Promise<ConsumerInfo[]> {
    return this.#consumers.list();
  }

  removeConsumer(name: string): Promise<boolean> {
    return this.#consumers.remove(name);
  }

  close(): Promise<void> {
    return this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #look(): void {
    this.#engine.assertOpen();
    this.#engine.catchUp();
  }

  #writeOptions(options: WriteOptions | undefined): ResolvedWriteOptions {
    return resolveWriteOptions(options, this.#engine.options.durability);
  }
}
