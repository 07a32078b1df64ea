import type { Clock } from '../../src/clock.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import {
  type Consumer,
  type ConsumerInfo,
  type Delivery,
  DurostoreError,
  type Entry,
  type Queue,
  type StoreOptions,
} from '../../src/mod.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { Slices } from '../../src/segment/slices.js';
import type { Durability } from '../../src/store/options.js';
import type { History } from './history.js';

export const DIRECTORY = '/q';

/** Time stands still but where a test moves it, and timers never fire: what happens, a program does. */
export const stillClock: Clock = {
  now: () => 1_700_000_000_000,
  monotonic: () => 1_000_000,
  setTimer: () => () => {},
};

/** Time goes on by a moment whenever it is asked for, so that whoever looks at intervals looks again. */
export const tickingClock = (): Clock => clockOf(51);

/** The same by a day, so that every lease ends. */
export const hastyClock = (): Clock => clockOf(24 * 3600 * 1000);

function clockOf(stepMs: number): Clock {
  let monotonic = 1_000_000;
  return {
    ...stillClock,
    monotonic: () => {
      monotonic += stepMs;
      return monotonic;
    },
  };
}

export interface Options extends Omit<StoreOptions, 'directory'> {
  /** Journals that are succeeded often. */
  readonly limits?: JournalLimits;
  /** Small, so that most is written in several. */
  readonly slices?: Slices;
}

/** The cache, and what is kept of entries, are as large as that allows: made anew with each opening, they would be most of its work. */
const SMALL_CACHE = 64 * 1024;

/** So is a reserve that journals make room for ahead: programs use a few hundred bytes of it. */
const SMALL_RESERVE: JournalLimits = {
  reserveBytes: 8 * 1024,
  leastReserveBytes: 4 * 1024,
  leastGainBytes: 4 * 1024,
  shortenFromBytes: 1024 * 1024,
  shortenFactor: 4,
};

export const openOn = (
  disk: MemoryOpener,
  { limits = SMALL_RESERVE, slices, ...options }: Options,
): Promise<Queue<Uint8Array>> =>
  openQueueOn<Uint8Array>(
    disk,
    {
      directory: DIRECTORY,
      codec: 'bytes',
      indexer: false,
      clock: stillClock,
      maxChunk: SMALL_CACHE,
      ...options,
    },
    limits,
    slices && { slices },
  );

/** Where a dead one leaves its lock, the next one comes when that is stale. */
export const machineFor = (options: Options, capacityBytes = Number.POSITIVE_INFINITY): MemoryDisk =>
  new MemoryDisk({ capacityBytes, deathTakesMs: options.locking === 'lockfile' ? 60_000 : 0 });

/** How often the lock directory is tried depends on the time. */
export const isOfLockDirectory = ({ path }: Operation): boolean => /\/duro\.directory\.lock(\/|$)/.test(path);

/** So that a journal is succeeded every few facts. */
export const SHORT_JOURNALS: JournalLimits = {
  reserveBytes: 1024,
  leastReserveBytes: 256,
  leastGainBytes: 64,
  shortenFromBytes: 0,
  shortenFactor: 1.3,
};

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether an error says that its call changed nothing. */
const changedNothing = (error: unknown): boolean =>
  error instanceof DurostoreError &&
  ['DISK_FULL', 'STORE_FULL', 'LOCK_UNAVAILABLE', 'LOCK_LOST'].includes(error.code);

/** A process that does things to a queue and writes down what it was told. */
export class Actor {
  #disk: MemoryOpener;
  readonly #history: History;
  readonly #options: Options;
  /** Writes that waited for room in vain. */
  gaveUp = 0;
  #queue: Queue<Uint8Array> | undefined;
  #claims: Delivery<Uint8Array>[] = [];
  readonly #consumers = new Map<string, Consumer>();

  constructor(disk: MemoryOpener, history: History, options: Options) {
    this.#disk = disk;
    this.#history = history;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#queue !== undefined;
  }

  async open(): Promise<void> {
    this.#queue = await openOn(this.#disk, this.#options);
    if (this.#history.isAboutConsumers) await this.#seePositions();
  }

  async close(): Promise<void> {
    const queue = this.#queue;
    this.#queue = undefined;
    this.#claims = [];
    this.#consumers.clear();
    const synced = this.#history.moment();
    await queue?.close();
    if (!this.#disk.dead) synced();
  }

  /** Dies, and another comes in its place. */
  die(): void {
    const { machine, name } = this.#disk;
    this.#queue = undefined;
    this.#claims = [];
    this.#consumers.clear();
    machine.kill(this.#disk);
    this.#disk = machine.opener(name);
  }

  /** One record. */
  async write(size = 40, durability?: Durability): Promise<void> {
    const [bytes] = this.#history.writing([size]);
    if (bytes === undefined) return;
    await this.#write([bytes], durability, async () => [
      await this.#opened.store.write(bytes, { durability }),
    ]);
  }

  /** One record from a source; one that no file has room for is spooled. */
  async writeStream(size: number, durability?: Durability): Promise<void> {
    const [bytes] = this.#history.writing([size]);
    if (bytes === undefined) return;
    async function* source(): AsyncGenerator<Uint8Array, void> {
      for (let at = 0; at < size; at += 300) yield (bytes as Uint8Array).subarray(at, at + 300);
    }
    await this.#write([bytes], durability, async () => [
      await this.#opened.store.writeStream(source(), { durability }),
    ]);
  }

  /** A batch. */
  async writeMany(sizes: readonly number[], durability?: Durability): Promise<void> {
    const bytes = this.#history.writing(sizes);
    await this.#write(bytes, durability, () => this.#opened.store.writeMany(bytes, { durability }));
  }

  async enqueue(size = 40, durability?: Durability): Promise<void> {
    const bytes = this.#history.writing([size]);
    await this.#write(bytes, durability, async () => [
      await this.#opened.enqueue(bytes[0] as Uint8Array, { durability }),
    ]);
  }

  async enqueueMany(sizes: readonly number[], durability?: Durability): Promise<void> {
    const bytes = this.#history.writing(sizes);
    await this.#write(bytes, durability, () => this.#opened.enqueueMany(bytes, { durability }));
  }

  async dequeue(): Promise<void> {
    await this.dequeueMany(1);
  }

  async dequeueMany(max: number): Promise<void> {
    const known = this.#history.removingBlindly(max);
    const before = this.#history.removals;
    let taken: Uint8Array[];
    try {
      taken = await this.#opened.dequeueMany(max);
    } catch (error) {
      if (changedNothing(error)) known();
      throw error;
    }
    if (this.#disk.dead) return;
    known();
    for (const bytes of taken) this.#history.givenOut(bytes, this.#durability, before);
  }

  async claim(): Promise<void> {
    const delivery = await this.#opened.claim();
    if (delivery !== undefined) this.#claims.push(delivery);
  }

  async ack(): Promise<void> {
    const delivery = this.#claims.shift();
    if (delivery === undefined) return;
    // Of a message that was removed meanwhile, nothing is left to be said.
    if (this.#history.isRemoved(delivery.value)) return delivery.ack();
    await this.#remove([delivery.value], 'written', () => delivery.ack());
  }

  async nack(): Promise<void> {
    const delivery = this.#claims.shift();
    await this.#orLost(delivery, () => delivery?.nack());
  }

  async extend(): Promise<void> {
    const [delivery] = this.#claims;
    await this.#orLost(delivery, () => delivery?.extend(60_000));
  }

  /** A claimed message may have been removed, or dropped with its segment. */
  async #orLost(
    delivery: Delivery<Uint8Array> | undefined,
    call: () => Promise<void> | undefined,
  ): Promise<void> {
    try {
      await call();
    } catch (error) {
      const isLost = error instanceof DurostoreError && error.code === 'LEASE_LOST';
      const isGone = delivery !== undefined && this.#history.isRemoved(delivery.value);
      if (!isLost || !(isGone || this.#options.whenFull === 'drop-oldest')) throw error;
    }
  }

  /** Writes where there is no room, and makes room; gives up where that leads to nothing. */
  async writeWaiting(size: number, makeRoom: () => Promise<void>): Promise<void> {
    const bytes = this.#history.writing([size]);
    const [data] = bytes;
    if (data === undefined) return;
    const patience = new AbortController();
    let answered = false;
    const write = this.#write(bytes, undefined, async () => [
      await this.#opened.store.write(data, { signal: patience.signal }),
    ]).finally(() => {
      answered = true;
    });
    const outcome = write.then(
      () => undefined,
      (error: unknown) => error,
    );
    try {
      await makeRoom();
    } finally {
      for (let turn = 0; turn < 200 && !answered && !this.#disk.dead; turn++) await nextTurn();
      patience.abort();
    }
    const error = await outcome;
    if (error === undefined) return;
    if (error !== patience.signal.reason) throw error;
    this.#history.refused(bytes);
    this.gaveUp += 1;
  }

  /** Deletes what stands before the record that is so far from the oldest; where there is none, everything. */
  async prune(place: number, everything = true): Promise<void> {
    const before = this.#history.present(place)?.index;
    if (before === undefined && !everything) return;
    const removed = this.#history.removingBefore(before ?? Number.POSITIVE_INFINITY);
    await this.#remove(removed, this.#durability, () => this.#opened.store.prune(before));
  }

  /** Deletes the records that stand so far from the oldest. */
  async delete(...places: readonly number[]): Promise<void> {
    const there = places.map((at) => this.#history.present(at)).filter((one) => one !== undefined);
    const indexes = there.map(({ index }) => index);
    await this.#remove(
      there.map(({ bytes }) => bytes),
      this.#durability,
      () => this.#opened.delete(indexes),
    );
  }

  /** Writes records and deletes those that stand so far from the oldest, together. */
  async transaction(sizes: readonly number[], ...places: readonly number[]): Promise<void> {
    const there = places.map((at) => this.#history.present(at)).filter((one) => one !== undefined);
    const removed = there.map(({ bytes }) => bytes);
    const written = this.#history.writing(sizes);
    this.#history.together(written, removed);
    const call = (): Promise<void> =>
      this.#write(written, undefined, () =>
        this.#opened.store.transaction((tx) => {
          for (const bytes of written) tx.write(bytes);
          for (const { index } of there) tx.delete(index);
        }),
      );
    // They are in the log: no facts before them come to the device with them.
    await this.#remove(removed, this.#durability, call, 0);
  }

  async deleteFirst(): Promise<void> {
    const known = this.#history.removingBlindly(1);
    const before = this.#history.removals;
    const index = await this.#opened.store.deleteFirst();
    if (this.#disk.dead) return;
    known();
    if (index !== undefined) this.#history.removedAt(index, this.#durability, before);
  }

  /** Reads so many by a named consumer, and commits; makes the consumer where there is none. */
  async consume(name: string, max: number): Promise<void> {
    const consumer = await this.#consumer(name);
    const last = (await consumer.nextMany(max)).at(-1)?.index;
    if (last !== undefined) await this.#position(name, last, () => consumer.commit());
  }

  /** Goes on with the record that is so far from the oldest. */
  async seek(name: string, place: number): Promise<void> {
    const consumer = await this.#consumer(name);
    const index = this.#history.present(place)?.index;
    if (index !== undefined) await this.#position(name, index - 1, () => consumer.seek(index));
  }

  async removeConsumer(name: string): Promise<void> {
    await this.#position(name, undefined, () => this.#opened.store.removeConsumer(name));
    await this.#consumers.get(name)?.close();
    this.#consumers.delete(name);
  }

  async #consumer(name: string): Promise<Consumer> {
    const { store } = this.#opened;
    const known = this.#consumers.get(name);
    if (known !== undefined) return known;
    const consumer = this.#history.hasConsumer(name)
      ? await store.consumer(name)
      : await this.#position(name, (await store.firstIndex()) - 1, () => store.consumer(name));
    this.#consumers.set(name, consumer);
    return consumer;
  }

  async #seePositions(): Promise<void> {
    const found = await this.#opened.store.consumers();
    if (!this.#disk.dead) this.#history.sawPositions(found);
  }

  async #position<T>(name: string, position: number | undefined, call: () => Promise<T>): Promise<T> {
    const told = this.#history.positioning(name, position);
    if (this.#options.retention?.consumed === true) this.#history.lettingGo();
    try {
      const answer = await call();
      if (!this.#disk.dead) told(this.#durability);
      return answer;
    } catch (error) {
      if (changedNothing(error)) told('refused');
      else await this.#seePositions().catch(() => {});
      throw error;
    }
  }

  async sync(): Promise<void> {
    const synced = this.#history.moment();
    await this.#opened.store.sync();
    if (!this.#disk.dead) synced();
  }

  /** What there is, as this process sees it. */
  async entries(): Promise<Entry[]> {
    const found: Entry[] = [];
    for await (const entry of this.#opened.store.entries()) found.push(entry);
    return found;
  }

  /** Where named consumers are, as this process sees it. */
  positions(): Promise<ConsumerInfo[]> {
    return this.#opened.store.consumers();
  }

  nextIndex(): Promise<number> {
    return this.#opened.store.nextIndex();
  }

  async read(): Promise<void> {
    await this.#opened.peek();
    await this.#opened.length();
  }

  get #opened(): Queue<Uint8Array> {
    if (this.#queue === undefined) throw new Error('not open');
    return this.#queue;
  }

  get #durability(): Durability {
    return this.#options.durability ?? 'synced';
  }

  async #remove(
    all: readonly Uint8Array[],
    durability: Durability,
    call: () => Promise<unknown>,
    before = this.#history.removals,
  ): Promise<void> {
    const asked = all.filter((bytes) => this.#history.removing(bytes));
    try {
      await call();
    } catch (error) {
      if (changedNothing(error)) for (const bytes of asked) this.#history.kept(bytes);
      throw error;
    }
    if (this.#disk.dead) return;
    // Somebody else may have removed it before.
    for (const bytes of all)
      if (!this.#history.isRemoved(bytes)) this.#history.removed(bytes, durability, before);
  }

  async #write(
    bytes: readonly Uint8Array[],
    durability: Durability | undefined,
    call: () => Promise<number[]>,
  ): Promise<void> {
    try {
      const indexes = await call();
      if (!this.#disk.dead) this.#history.wrote(bytes, indexes, durability ?? this.#durability);
    } catch (error) {
      if (changedNothing(error)) this.#history.refused(bytes);
      throw error;
    }
  }
}
