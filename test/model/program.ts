import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Disk } from '../../src/disk/disk.js';
import { type Delivery, DurostoreError, type Queue, type Store, type StoreOptions } from '../../src/mod.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { openStoreOn } from '../../src/store/store.js';
import type { MovedClock } from '../store/moved-clock.js';
import { Model } from './model.js';

/** A machine on which processes come, end and are killed. */
export interface Machine {
  readonly directory: string;
  readonly clock: MovedClock;
  process(): Disk;
  /** Undefined where processes cannot be killed. */
  readonly kill: ((process: Disk) => void) | undefined;
}

const CALLS = [
  'write',
  'writeMany',
  'read',
  'entry',
  'entries',
  'delete',
  'deleteFirst',
  'prune',
  'enqueue',
  'enqueueMany',
  'enqueueAtOnce',
  'dequeue',
  'dequeueMany',
  'dequeueAtOnce',
  'claim',
  'claimMany',
  'ack',
  'nack',
  'extend',
  'peekMany',
  'flush',
  'clear',
  'wait',
  'reopen',
  'reopenAll',
  'kill',
] as const;
type Call = (typeof CALLS)[number];

/** One step: who does what; `a` and `b` mean something else for each call. */
export interface Step {
  readonly call: Call;
  readonly who: number;
  readonly a: number;
  readonly b: number;
}

export interface Program {
  readonly openers: number;
  readonly options: Omit<StoreOptions, 'directory' | 'clock'>;
  readonly steps: readonly Step[];
}

/** Common calls come more often, so that there is something for the rare ones to destroy. */
const often: readonly Call[] = ['enqueue', 'enqueueMany', 'claim', 'claimMany', 'dequeue', 'ack', 'wait'];

export const programs = (maxLength: number): fc.Arbitrary<Program> =>
  fc.record({
    openers: fc.constantFrom(1, 2, 2, 3),
    options: fc.record({
      maxFileSize: fc.constantFrom(256, 400, 1000, 4096),
      maxFiles: fc.constantFrom(1, 2, 4, 1024, 1024),
      maxChunk: fc.constantFrom(0, 500, 8 * 1024 * 1024),
      whenFull: fc.constantFrom('fail', 'drop-oldest'),
      durability: fc.constantFrom('written', 'written', 'synced'),
      indexer: fc.constantFrom<StoreOptions['indexer']>(false, { watch: false, intervalMs: 40 }),
    }),
    steps: fc.array(
      fc.record({
        call: fc.constantFrom(...CALLS, ...often, ...often, ...often),
        who: fc.nat(2),
        a: fc.nat(99),
        b: fc.nat(99),
      }),
      { maxLength, size: 'max' },
    ),
  });

/** A delivery, and what the model needs to know of it. */
interface Held {
  readonly delivery: Delivery<Uint8Array>;
  readonly index: number;
  readonly attempt: number;
  readonly holder: number;
  until: number;
}

interface Opener {
  readonly disk: Disk;
  readonly store: Store;
  readonly queue: Queue<Uint8Array> | undefined;
  /** Its name as a holder; a new one each time somebody opens. */
  readonly holder: number;
  held: Held[];
}

const LEASE_MS = 100;
/** How often a dead holder is looked for. */
const PROBE_MS = 50;

/** Runs a program on the library and on the model, and compares after each step. Throws where they differ. */
export async function run(machine: Machine, program: Program): Promise<void> {
  const runner = new Runner(machine, program);
  try {
    await runner.open();
    for (const step of program.steps) {
      await runner.step(step);
      await runner.compare();
    }
    await runner.compareAll();
  } finally {
    await runner.close();
  }
}

class Runner {
  readonly #machine: Machine;
  readonly #program: Program;
  readonly #model = new Model();
  readonly #openers: Opener[] = [];
  #opened = 0;
  #written = 0;

  constructor(machine: Machine, program: Program) {
    this.#machine = machine;
    this.#program = program;
  }

  get #now(): number {
    return this.#machine.clock.monotonic();
  }

  async open(): Promise<void> {
    for (let at = 0; at < this.#program.openers; at++) this.#openers.push(await this.#openOne(at));
  }

  async close(): Promise<void> {
    for (const { store } of this.#openers) await store.close();
  }

  /** The third one opens a store without a queue. */
  async #openOne(at: number): Promise<Opener> {
    const { directory, clock } = this.#machine;
    const options = { ...this.#program.options, directory, clock };
    const disk = this.#machine.process();
    const holder = ++this.#opened;
    if (at === 2) {
      return { disk, store: await openStoreOn(disk, options), queue: undefined, holder, held: [] };
    }
    // Dead letters have a model of their own.
    const own = { codec: 'bytes', leaseMs: LEASE_MS, maxAttempts: 1_000_000 } as const;
    const queue = await openQueueOn<Uint8Array>(disk, { ...options, ...own });
    return { disk, store: queue.store, queue, holder, held: [] };
  }

  async step({ call, who, a, b }: Step): Promise<void> {
    const model = this.#model;
    const at = who % this.#openers.length;
    const opener = this.#opener(at);
    const { store } = opener;
    const { queue, holder } = opener.queue === undefined ? this.#opener(0) : opener;
    if (queue === undefined) throw new Error('the first opener has a queue');
    const index = 1 + (a % (model.next + 1));
    switch (call) {
      case 'write':
        return this.#put([this.#value(a)], async ([value]) => [await store.write(value as Uint8Array)]);
      case 'writeMany':
        return this.#put(this.#values(a, b), (values) => store.writeMany(values));
      case 'enqueue':
        return this.#put([this.#value(a)], async ([value]) => [await queue.enqueue(value as Uint8Array)]);
      case 'enqueueMany':
        return this.#put(this.#values(a, b), (values) => queue.enqueueMany(values));
      case 'enqueueAtOnce':
        return this.#putAtOnce(this.#values(a, b));
      case 'read':
        assert.equal(text(await store.read(index)), model.find(index)?.value, `read(${index})`);
        assert.equal(text(await queue.read(index)), model.find(index)?.value, `read(${index})`);
        assert.equal(text(await store.read()), model.messages[0]?.value, 'read()');
        return;
      case 'entry': {
        const entry = await store.entry(index);
        const expected = model.find(index);
        assert.deepEqual(
          entry && { index: entry.index, value: text(entry.data), size: entry.size },
          expected && { index, value: expected.value, size: Buffer.byteLength(expected.value) },
        );
        return;
      }
      case 'entries':
        return this.#entries(store, a, b);
      case 'delete': {
        const indexes = [index, index, index + b];
        assert.equal(await store.delete(indexes), model.remove(indexes), `delete(${indexes})`);
        return;
      }
      case 'deleteFirst': {
        const first = model.messages[0]?.index;
        assert.equal(await store.deleteFirst(), first, 'deleteFirst');
        if (first !== undefined) model.remove([first]);
        return;
      }
      case 'prune': {
        const before = b % 4 === 0 ? undefined : index;
        await store.prune(before);
        model.messages = model.messages.filter((message) => before !== undefined && message.index >= before);
        return;
      }
      case 'dequeue':
        assert.equal(text(await queue.dequeue()), model.dequeue(1, this.#now)[0]?.value, 'dequeue');
        return;
      case 'dequeueMany': {
        const max = a % 6;
        const expected = model.dequeue(max, this.#now).map(({ value }) => value);
        assert.deepEqual((await queue.dequeueMany(max)).map(text), expected, `dequeueMany(${max})`);
        return;
      }
      case 'dequeueAtOnce': {
        const queues = this.#openers.flatMap((one) => one.queue ?? []);
        const calls = Array.from({ length: 1 + (a % 5) }, (_, n) => queues[(n + b) % queues.length]);
        const got = await Promise.all(calls.map((one) => one?.dequeue()));
        const expected = model.dequeue(calls.length, this.#now).map(({ value }) => value);
        assert.deepEqual(
          got.flatMap((value) => text(value) ?? []).sort(),
          [...expected].sort(),
          'dequeued at once: each once',
        );
        return;
      }
      case 'claim':
      case 'claimMany': {
        const max = call === 'claim' ? 1 : a % 6;
        const leaseMs = b % 2 === 0 ? undefined : 1 + 10 * b;
        const got =
          call === 'claim'
            ? [await queue.claim({ leaseMs })].flatMap((one) => one ?? [])
            : await queue.claimMany(max, { leaseMs });
        const expected = model.claim(max, holder, this.#now, leaseMs ?? LEASE_MS);
        assert.deepEqual(
          got.map(({ index, attempt, value }) => ({ index, attempt, value: text(value) })),
          expected.map(({ index, claims, value }) => ({ index, attempt: claims, value })),
          `${call}(${max})`,
        );
        const until = this.#now + (leaseMs ?? LEASE_MS);
        for (const delivery of got) {
          const { index, attempt } = delivery;
          this.#holding(holder).held.push({ delivery, index, attempt, holder, until });
        }
        return;
      }
      case 'ack':
      case 'nack':
      case 'extend':
        return this.#settle(call, a, b);
      case 'peekMany': {
        const max = a % 6;
        const expected = model.waiting(this.#now).map(({ value }) => value);
        assert.deepEqual((await queue.peekMany(max)).map(text), expected.slice(0, max), 'peekMany');
        assert.equal(text(await queue.peek()), expected[0], 'peek');
        return;
      }
      case 'flush': {
        const expected = model.dequeue(Number.POSITIVE_INFINITY, this.#now).map(({ value }) => value);
        assert.deepEqual((await queue.flush()).map(text), expected, 'flush');
        return;
      }
      case 'clear':
        assert.equal(await queue.clear(), model.messages.length, 'clear');
        model.messages = [];
        return;
      case 'wait':
        this.#machine.clock.advance(a);
        return;
      case 'reopen':
        await this.#end(at);
        this.#openers[at] = await this.#openOne(at);
        return;
      case 'reopenAll':
        for (const at of this.#openers.keys()) await this.#end(at);
        for (const at of this.#openers.keys()) this.#openers[at] = await this.#openOne(at);
        return;
      case 'kill': {
        if (this.#machine.kill === undefined) return;
        const victims = b % 4 === 0 ? [...this.#openers.keys()] : [at];
        for (const one of victims) {
          this.#machine.kill(this.#opener(one).disk);
          model.release(this.#opener(one).holder);
        }
        for (const one of victims) this.#openers[one] = await this.#openOne(one);
        this.#machine.clock.advance(PROBE_MS);
        return;
      }
    }
  }

  /** Numbers, on whoever's side. */
  async compare(): Promise<void> {
    const { messages, first, next } = this.#model;
    const waiting = this.#model.waiting(this.#now).length;
    for (const [at, { store, queue }] of this.#openers.entries()) {
      const found = {
        length: await store.length(),
        first: await store.firstIndex(),
        next: await store.nextIndex(),
        waiting: queue === undefined ? waiting : await queue.length(),
      };
      assert.deepEqual(found, { length: messages.length, first, next, waiting }, `opener ${at}`);
    }
  }

  /** Everything there is, in order. */
  async compareAll(): Promise<void> {
    const { messages, first, next } = this.#model;
    for (const { store, queue } of this.#openers) {
      const found: { index: number; value: string | undefined }[] = [];
      for await (const { index, data } of store.entries()) found.push({ index, value: text(data) });
      assert.deepEqual(
        found,
        messages.map(({ index, value }) => ({ index, value })),
      );
      if (queue === undefined) continue;
      const stats = await queue.stats();
      const waiting = this.#model.waiting(this.#now).length;
      assert.deepEqual(
        {
          length: stats.length,
          firstIndex: stats.firstIndex,
          nextIndex: stats.nextIndex,
          waiting: stats.waiting,
          claimed: stats.claimed,
          lost: stats.lost,
          cuts: stats.cuts,
        },
        {
          length: messages.length,
          firstIndex: first,
          nextIndex: next,
          waiting,
          claimed: messages.length - waiting,
          lost: 0,
          cuts: 0,
        },
      );
    }
  }

  #opener(at: number): Opener {
    const opener = this.#openers[at];
    if (opener === undefined) throw new Error(`there is no opener ${at}`);
    return opener;
  }

  #holding(holder: number): Opener {
    const opener = this.#openers.find((one) => one.holder === holder);
    if (opener === undefined) throw new Error(`nobody is holder ${holder}`);
    return opener;
  }

  async #end(at: number): Promise<void> {
    const { store, holder } = this.#opener(at);
    await store.close();
    this.#model.release(holder);
  }

  /** Different from all others but the empty one. */
  #value(a: number): string {
    this.#written += 1;
    return a % 10 === 0 ? '' : `${this.#written}`.padEnd(a % 90, '.');
  }

  #values(a: number, b: number): string[] {
    return Array.from({ length: a % 7 }, (_, n) => this.#value(b + n));
  }

  /** Writes values as one batch. */
  async #put(values: string[], write: (values: Uint8Array[]) => Promise<number[]>): Promise<void> {
    const expected = values.map((_, at) => this.#model.next + at);
    let indexes: number[];
    try {
      indexes = await write(values.map((value) => Buffer.from(value)));
    } catch (error) {
      return this.#refused(error, values);
    }
    assert.deepEqual(indexes, expected, 'indexes');
    for (const [at, index] of indexes.entries()) this.#model.put(index, values[at] ?? '');
    await this.#dropped(indexes);
  }

  /** Everybody writes in the same moment: who comes first is open, but each one's own come in order. */
  async #putAtOnce(values: string[]): Promise<void> {
    const results = await Promise.allSettled(
      values.map((value, at) => this.#opener(at % this.#openers.length).store.write(Buffer.from(value))),
    );
    const written: number[] = [];
    const latest: number[] = [];
    for (const [at, result] of results.entries()) {
      if (result.status === 'rejected') continue;
      const opener = at % this.#openers.length;
      assert.ok(result.value > (latest[opener] ?? 0), 'each one writes in order');
      latest[opener] = result.value;
      written.push(result.value);
      this.#model.put(result.value, values[at] ?? '');
    }
    written.sort((a, b) => a - b);
    const end = this.#model.next;
    assert.deepEqual(
      written,
      written.map((_, at) => end - written.length + at),
      'indexes without a gap',
    );
    for (const [at, result] of results.entries())
      if (result.status === 'rejected') this.#refused(result.reason, [values[at] ?? '']);
    // Of what is written in one moment the later may cost the earlier.
    await this.#dropped(written.slice(-1));
  }

  /** A refusal is due: the batch is too large for a file, or all files are full. */
  #refused(error: unknown, values: readonly string[]): void {
    assert.ok(error instanceof DurostoreError, String(error));
    const { maxFileSize = 0, maxFiles = 0, whenFull } = this.#program.options;
    if (error.code === 'RECORD_TOO_LARGE') {
      // At least so many bytes, and a file's overhead.
      const bytes = values.reduce((sum, value) => sum + 36 + value.length, 0);
      assert.ok(bytes + 250 > maxFileSize, `${bytes} bytes are not too many for ${maxFileSize}`);
      return;
    }
    assert.equal(error.code, 'STORE_FULL', String(error));
    assert.equal(whenFull, 'fail');
    const { length } = this.#model.messages;
    assert.ok(length >= maxFiles, `full with ${length} records and room for ${maxFiles} files`);
  }

  /** Under drop-oldest a write may have cost the oldest, and nothing else. */
  async #dropped(written: readonly number[]): Promise<void> {
    const { maxFileSize = 0, maxFiles = 0, whenFull } = this.#program.options;
    const bytes = (): number => this.#model.messages.reduce((sum, { value }) => sum + 36 + value.length, 0);
    if (whenFull === 'drop-oldest') {
      const first = await this.#opener(0).store.firstIndex();
      const dropped = this.#model.messages.filter(({ index }) => index < first);
      assert.ok(!dropped.some(({ index }) => written.includes(index)), 'what was just written stays');
      this.#model.remove(dropped.map(({ index }) => index));
      if (dropped.length > 0) assert.equal(this.#liveFiles(), maxFiles, 'no more is dropped than need be');
    }
    assert.ok(bytes() <= maxFiles * maxFileSize, 'never more than the bounds allow');
  }

  /** Files with a record that is still there, and the one that is being written. */
  #liveFiles(): number {
    const firsts = this.#opener(0)
      .disk.list(this.#machine.directory)
      .flatMap((name) => (name.endsWith('.dat') ? Number(/_([0-9]+)\.dat$/.exec(name)?.[1]) : []))
      .sort((a, b) => a - b);
    return firsts.filter((first, at) => {
      const end = firsts[at + 1];
      return end === undefined || this.#model.messages.some(({ index }) => index >= first && index < end);
    }).length;
  }

  async #entries(store: Store, a: number, b: number): Promise<void> {
    const { messages, next } = this.#model;
    const from = a % 3 === 0 ? -(a % 7) - 1 : 1 + (a % next);
    const to = b % 3 === 0 ? undefined : from > 0 ? from + (b % 9) : undefined;
    const limit = b % 2 === 0 ? undefined : b % 5;
    const expected = (from < 0 ? messages.slice(from) : messages.filter(({ index }) => index >= from))
      .filter(({ index }) => to === undefined || index < to)
      .slice(0, limit)
      .map(({ index, value }) => ({ index, value }));
    const found: { index: number; value: string | undefined }[] = [];
    for await (const { index, data } of store.entries({ from, to, limit }))
      found.push({ index, value: text(data) });
    assert.deepEqual(found, expected, `entries({ from: ${from}, to: ${to}, limit: ${limit} })`);
  }

  /** Ends or lengthens one of the deliveries that were ever given out to somebody who is still open. */
  async #settle(call: 'ack' | 'nack' | 'extend', a: number, b: number): Promise<void> {
    const all = this.#openers.flatMap(({ held }) => held);
    const held = all[all.length - 1 - (a % Math.max(1, all.length))];
    if (held === undefined) return;
    const { delivery, index, attempt, holder } = held;
    const message = this.#model.find(index);
    const leaseMs = 1 + 5 * b;
    const isHeld = message?.holder === holder && message.claims === attempt && message.until > this.#now;
    // Gone while its lease would run: whoever acknowledges has nothing left to do.
    const isCancelled = message === undefined && held.until > this.#now;
    const outcome = await (call === 'extend' ? delivery.extend(leaseMs) : delivery[call]()).then(
      () => 'done',
      (error: unknown) => (error instanceof DurostoreError ? error.code : String(error)),
    );
    const expected = isHeld || (call === 'ack' && isCancelled) ? 'done' : 'LEASE_LOST';
    assert.equal(outcome, expected, `${call} of message ${index}, attempt ${attempt}`);
    if (!isHeld || message === undefined) return;
    if (call === 'ack') this.#model.remove([index]);
    if (call === 'nack') {
      message.holder = undefined;
      held.until = Number.NEGATIVE_INFINITY;
    }
    if (call === 'extend') {
      message.until = this.#now + leaseMs;
      held.until = message.until;
    }
  }
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}
