import { DurostoreError } from '../errors.js';
import type { ConsumerState } from '../journal/consumers.js';
import type { Hold } from '../lock/holds.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import type { RecordRun } from '../segment/record-run.js';
import type { Consumer } from './consumer-contract.js';
import type { ConsumerHolders } from './consumer-holders.js';
import { existingStart, lagBehind } from './consumer-position.js';
import type { Engine } from './engine.js';
import { checkStart, type Entry, type EntryStart, toEntry } from './entries.js';
import { invalid, wholeNumber } from './options.js';
import { resolveWaitOptions, type WaitOptions } from './wait-options.js';

/** One holder of a named consumer: where it reads is its own, what is done is everybody's. */
export class NamedConsumer implements Consumer {
  readonly name: string;
  readonly #engine: Engine;
  readonly #holders: ConsumerHolders;
  /** The fact that made the consumer. */
  readonly #since: number;
  readonly #isAlone: boolean;
  readonly #unwatch: () => void;
  #hold: Hold;
  #run: RecordRun;
  /** The next record to be returned here is this one, or a later one. */
  #next: number;
  /** The last that was returned since it was opened, or sought; 0: none. */
  #last = 0;
  /** Under way, for one call at a time: so they return what is there one behind the other. */
  #reading: Promise<unknown> | undefined;
  /** How often it was sought. */
  #sought = 0;
  #isClosed = false;

  constructor(
    engine: Engine,
    holders: ConsumerHolders,
    { name, since, position }: ConsumerState,
    isAlone: boolean,
    hold: Hold,
  ) {
    this.name = name;
    this.#engine = engine;
    this.#holders = holders;
    this.#since = since;
    this.#isAlone = isAlone;
    this.#hold = hold;
    this.#next = position + 1;
    this.#run = engine.run();
    this.#unwatch = engine.fates.consumers.onRemoved((removed) => {
      if (removed.name === name && removed.since === since) this.#hold.release();
    });
  }

  async next(options?: WaitOptions): Promise<Entry | undefined> {
    return (await this.#take(1, options))[0];
  }

  async nextMany(max: number, options?: WaitOptions): Promise<Entry[]> {
    if (max === undefined) throw invalid('max', 'a whole number', max);
    return this.#take(wholeNumber('max', max, 0, 0, Number.MAX_SAFE_INTEGER), options);
  }

  /** ⚑ Looks, then waits for a change of what it looked at, never for an event. */
  async #take(max: number, options: WaitOptions | undefined): Promise<Entry[]> {
    const { waitMs, signal } = resolveWaitOptions(options);
    const { clock, indexer } = this.#engine;
    const endsAt = waitMs === 0 ? 0 : clock.monotonic() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#assertOpen();
      if (max === 0) return [];
      if (!this.#hold.isStillHeld()) await this.#holdAgain();
      while (this.#reading !== undefined) await this.#reading;
      const seen = indexer.version;
      const found = await this.#readAlone(max);
      if (found === undefined) continue;
      if (found.length > 0 || waitMs === 0 || clock.monotonic() >= endsAt) return found;
      await indexer.beyond(seen, endsAt, signal);
    }
  }

  async #readAlone(max: number): Promise<Entry[] | undefined> {
    const reading = this.#read(max);
    const over = reading.then(
      () => {},
      () => {},
    );
    this.#reading = over;
    try {
      return await reading;
    } finally {
      if (this.#reading === over) this.#reading = undefined;
    }
  }

  /** What is there, and goes on behind it; undefined where it was sought meanwhile, and is to be looked for again. */
  async #read(max: number): Promise<Entry[] | undefined> {
    const engine = this.#engine;
    const sought = this.#sought;
    const found: Entry[] = [];
    engine.catchUp();
    this.#assertThere();
    for (let index = this.#next; found.length < max; index++) {
      index = engine.fates.goneSet.firstAbsent(index);
      if (index >= engine.tail.nextIndex) break;
      try {
        let record = engine.readKnown(index, LARGE_BYTES, this.#run);
        const slow = engine.slowly(record);
        if (slow !== undefined) record = await slow;
        if (sought !== this.#sought) return undefined;
        if (record !== undefined) found.push(toEntry(record, engine.options.transforms));
      } catch (error) {
        if (sought !== this.#sought) return undefined;
        if (found.length === 0) throw error;
        // Who calls next is told.
        break;
      }
    }
    const last = found[found.length - 1];
    if (last === undefined) return found;
    this.#last = last.index;
    this.#next = last.index + 1;
    return found;
  }

  async commit(index?: number): Promise<void> {
    const { decider, tail, durable } = this.#engine;
    this.#assertOpen();
    const upTo = wholeNumber('index', index, this.#last, 0, Number.MAX_SAFE_INTEGER);
    await decider.decide(
      (facts) => {
        const { position } = this.#stateHeld();
        tail.catchUp();
        if (upTo >= tail.nextIndex)
          throw invalid('index', `that of a record that was written, below ${tail.nextIndex}`, upTo);
        if (upTo > position) facts.consumed(this.name, upTo);
      },
      durable,
      true,
    );
  }

  async seek(to: EntryStart): Promise<void> {
    const engine = this.#engine;
    this.#assertOpen();
    checkStart('to', to);
    engine.assertUsable();
    engine.catchUp();
    const start = existingStart(engine, 'to', to);
    await engine.decider.decide((facts) => {
      const { position } = this.#stateHeld();
      engine.tail.catchUp();
      if (start > engine.tail.nextIndex) throw invalid('to', `at most ${engine.tail.nextIndex}`, to);
      if (start - 1 !== position) facts.consumer(this.name, this.#since, start - 1);
      engine.decider.afterwards((counts) => {
        if (counts) this.#goOnFrom(start);
      });
    }, engine.durable);
  }

  #goOnFrom(start: number): void {
    this.#next = start;
    this.#last = 0;
    this.#sought += 1;
    this.#run = this.#engine.run();
    // Who waits here looks again.
    this.#engine.indexer.changed();
  }

  async lag(): Promise<number> {
    this.#assertOpen();
    this.#engine.catchUp();
    return lagBehind(this.#engine, this.#assertThere()?.position ?? 0);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    this.#hold.release();
    this.#engine.indexer.changed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    this.#engine.assertOpen();
    if (this.#isClosed)
      throw new DurostoreError('CLOSED', `the consumer '${this.name}' is closed here: open it again`);
  }

  /** CLOSED where it was removed. What is known may be half of it, and not to be believed, while a lock that was lost is not had again. */
  #assertThere(): ConsumerState | undefined {
    const { fates, tenure, journal } = this.#engine;
    const state = fates.consumers.get(this.name);
    if (state?.since === this.#since || tenure.isTainted || journal.isFenced) return state;
    this.#hold.release();
    throw new DurostoreError('CLOSED', `the consumer '${this.name}' was removed: open it again`);
  }

  /** Under the fate lock, caught up: the state of a consumer that is this one's to commit. */
  #stateHeld(): ConsumerState {
    this.#assertOpen();
    const state = this.#assertThere() as ConsumerState;
    if (!this.#hold.isStillHeld()) this.#takeAgain();
    return state;
  }

  /** It is this one's again, if nobody has it by now in a way that excludes that. LOCK_LOST. */
  #takeAgain(): void {
    this.#hold.release();
    try {
      this.#hold = this.#holders.take(this.name, this.#isAlone);
    } catch (error) {
      if (!(error instanceof DurostoreError) || error.code !== 'LOCK_UNAVAILABLE') throw error;
      throw new DurostoreError(
        'LOCK_LOST',
        `this process slept, and somebody else has the consumer '${this.name}' open by now. Open it again`,
        error,
      );
    }
  }

  async #holdAgain(): Promise<void> {
    await this.#engine.decider.decide(() => {
      this.#stateHeld();
    }, false);
  }
}
