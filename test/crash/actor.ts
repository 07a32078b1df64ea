import type { Clock } from '../../src/clock.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { type Delivery, DurostoreError, type Queue, type StoreOptions } from '../../src/mod.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { Durability } from '../../src/store/options.js';
import type { History } from './history.js';

export const DIRECTORY = '/q';

/** Time stands still but where a test moves it, and timers never fire: what happens, a program does. */
export const stillClock: Clock = {
  now: () => 1_700_000_000_000,
  monotonic: () => 1_000_000,
  setTimer: () => () => {},
};

export type Options = Omit<StoreOptions, 'directory'>;

export const openOn = (disk: MemoryOpener, options: Options): Promise<Queue<Uint8Array>> =>
  openQueueOn<Uint8Array>(disk, {
    directory: DIRECTORY,
    codec: 'bytes',
    indexer: false,
    clock: stillClock,
    ...options,
  });

/** Codes by which a call says that it changed nothing. */
const CHANGED_NOTHING: readonly string[] = ['DISK_FULL', 'STORE_FULL', 'RECORD_TOO_LARGE'];

/** A process that does things to a queue and writes down what it was told. */
export class Actor {
  readonly #disk: MemoryOpener;
  readonly #history: History;
  readonly #options: Options;
  #queue: Queue<Uint8Array> | undefined;
  #claims: Delivery<Uint8Array>[] = [];

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
  }

  async close(): Promise<void> {
    const queue = this.#queue;
    this.#queue = undefined;
    this.#claims = [];
    const synced = this.#history.moment();
    await queue?.close();
    if (!this.#disk.dead) synced();
  }

  /** One record. */
  async write(size = 40, durability?: Durability): Promise<void> {
    const [bytes] = this.#history.writing([size]);
    if (bytes === undefined) return;
    await this.#write([bytes], durability, async () => [
      await this.#opened.store.write(bytes, { durability }),
    ]);
  }

  /** A batch. */
  async writeMany(sizes: readonly number[], durability?: Durability): Promise<void> {
    const bytes = this.#history.writing(sizes);
    await this.#write(bytes, durability, () => this.#opened.store.writeMany(bytes, { durability }));
  }

  async dequeue(): Promise<void> {
    await this.dequeueMany(1);
  }

  async dequeueMany(max: number): Promise<void> {
    const known = this.#history.removingBlindly(max);
    const taken = await this.#opened.dequeueMany(max);
    if (this.#disk.dead) return;
    known();
    for (const bytes of taken) this.#history.removed(bytes, this.#durability);
  }

  async claim(): Promise<void> {
    const delivery = await this.#opened.claim();
    if (delivery !== undefined) this.#claims.push(delivery);
  }

  async ack(): Promise<void> {
    const delivery = this.#claims.shift();
    if (delivery === undefined) return;
    this.#history.removing(delivery.value);
    await delivery.ack();
    if (!this.#disk.dead) this.#history.removed(delivery.value, 'written');
  }

  async nack(): Promise<void> {
    await this.#claims.shift()?.nack();
  }

  async extend(): Promise<void> {
    await this.#claims[0]?.extend(60_000);
  }

  /** Deletes the records that stand so far from the oldest. */
  async delete(...places: readonly number[]): Promise<void> {
    const there = places.map((at) => this.#history.present(at)).filter((one) => one !== undefined);
    for (const { bytes } of there) this.#history.removing(bytes);
    await this.#opened.delete(there.map(({ index }) => index));
    if (!this.#disk.dead) for (const { bytes } of there) this.#history.removed(bytes, this.#durability);
  }

  async deleteFirst(): Promise<void> {
    const first = this.#history.present(0);
    if (first !== undefined) this.#history.removing(first.bytes);
    const index = await this.#opened.store.deleteFirst();
    if (this.#disk.dead || first === undefined) return;
    if (index !== first.index) throw new Error(`deleteFirst deleted ${index}, not ${first.index}`);
    this.#history.removed(first.bytes, this.#durability);
  }

  async sync(): Promise<void> {
    const synced = this.#history.moment();
    await this.#opened.store.sync();
    if (!this.#disk.dead) synced();
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

  async #write(
    bytes: readonly Uint8Array[],
    durability: Durability | undefined,
    call: () => Promise<number[]>,
  ): Promise<void> {
    try {
      const indexes = await call();
      if (!this.#disk.dead) this.#history.wrote(bytes, indexes, durability ?? this.#durability);
    } catch (error) {
      if (error instanceof DurostoreError && CHANGED_NOTHING.includes(error.code))
        this.#history.refused(bytes);
      throw error;
    }
  }
}
