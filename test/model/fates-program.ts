import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import { type Delivery, DurostoreError, type Queue } from '../../src/mod.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { FatesModel, type FatesOptions } from './fates-model.js';

const CALLS = [
  'enqueue',
  'bad',
  'claim',
  'dequeue',
  'ack',
  'nack',
  'reject',
  'extend',
  'wait',
  'jump',
  'requeue',
  'purge',
  'cancel',
  'delete',
  'clear',
  'flush',
  'reopen',
  'kill',
] as const;
type Call = (typeof CALLS)[number];

export interface FatesStep {
  readonly call: Call;
  readonly who: number;
  readonly a: number;
  readonly b: number;
}

export interface FatesProgram {
  readonly options: FatesOptions;
  readonly limits: JournalLimits | undefined;
  readonly locking: 'os' | 'lockfile';
  readonly steps: readonly FatesStep[];
}

const often: readonly Call[] = ['enqueue', 'claim', 'claim', 'nack', 'wait', 'reject'];

/** A successor is due every few decisions. */
const SHORT: JournalLimits = {
  reserveBytes: 1024,
  leastReserveBytes: 256,
  leastGainBytes: 64,
  shortenFromBytes: 300,
  shortenFactor: 2,
};

const infinite = Number.POSITIVE_INFINITY;

export const fatesPrograms = (maxLength: number): fc.Arbitrary<FatesProgram> =>
  fc.record({
    options: fc.record({
      maxAttempts: fc.constantFrom(1, 2, 3, 3),
      leaseMs: fc.constantFrom(50, 100, 1000),
      backoff: fc.record({
        initialMs: fc.constantFrom(0, 0, 30, 200),
        factor: fc.constantFrom(1, 2),
        maxMs: fc.constantFrom(100, 3_600_000),
      }),
      maxCount: fc.constantFrom(infinite, infinite, 0, 1, 3),
      maxAgeMs: fc.constantFrom(infinite, infinite, 0, 150, 1000),
    }),
    limits: fc.constantFrom(undefined, SHORT, SHORT),
    locking: fc.constantFrom('os', 'os', 'os', 'lockfile'),
    steps: fc.array(
      fc.record({
        call: fc.constantFrom(...CALLS, ...often, ...often),
        who: fc.nat(1),
        a: fc.nat(99),
        b: fc.nat(99),
      }),
      { maxLength, size: 'max' },
    ),
  });

interface Held {
  readonly delivery: Delivery<number>;
  readonly number: number;
  readonly holder: number;
  /** Until when the one who has it takes it for its own. */
  until: number;
}

interface Opener {
  readonly disk: MemoryOpener;
  readonly queue: Queue<number>;
  readonly holder: number;
  /** Deaths that it heard of, and how many there had been before it listened. */
  readonly heard: { index: number; reason: string }[];
  readonly since: number;
}

const DIRECTORY = '/queue';
const PROBE_MS = 50;

/** Runs a program on the library and on the model, and compares after each step. Throws where they differ. */
export async function runFates(program: FatesProgram): Promise<void> {
  const runner = new Runner(program);
  try {
    await runner.open();
    for (const step of program.steps) {
      await runner.step(step);
      await runner.compare();
    }
  } finally {
    await runner.close();
  }
  runner.checkDirectory();
}

class Runner {
  readonly #machine: MemoryDisk;
  readonly #clock = new MovedClock();
  readonly #program: FatesProgram;
  readonly #model: FatesModel;
  readonly #openers: Opener[] = [];
  #held: Held[] = [];
  #opened = 0;
  #written = 0;

  constructor(program: FatesProgram) {
    this.#program = program;
    this.#machine = new MemoryDisk();
    this.#model = new FatesModel(program.options, this.#clock);
  }

  async open(): Promise<void> {
    for (let at = 0; at < 2; at++) this.#openers.push(await this.#openOne());
  }

  async close(): Promise<void> {
    for (const { queue } of this.#openers) await queue.close();
  }

  checkDirectory(): void {
    const problems = checkDirectoryOn(this.#machine.opener(), DIRECTORY);
    assert.deepEqual(problems, []);
  }

  async #openOne(): Promise<Opener> {
    const { maxAttempts, leaseMs, backoff, maxCount, maxAgeMs } = this.#program.options;
    const bound = (value: number): number | undefined => (value === infinite ? undefined : value);
    const disk = this.#machine.opener();
    const queue = await openQueueOn<number>(
      disk,
      {
        directory: DIRECTORY,
        clock: this.#clock,
        locking: this.#program.locking,
        durability: 'written',
        indexer: { watch: false },
        maxAttempts,
        leaseMs,
        backoff: { ...backoff, jitter: false },
        deadLetters: { maxCount: bound(maxCount), maxAgeMs: bound(maxAgeMs) },
      },
      this.#program.limits,
    );
    const heard: Opener['heard'] = [];
    queue.on('dead', (death) => heard.push(death));
    return { disk, queue, holder: ++this.#opened, heard, since: this.#model.deaths.length };
  }

  #opener(at: number): Opener {
    const opener = this.#openers[at];
    if (opener === undefined) throw new Error(`there is no opener ${at}`);
    return opener;
  }

  async step({ call, who, a, b }: FatesStep): Promise<void> {
    const model = this.#model;
    const { queue, holder } = this.#opener(who);
    const index = 1 + (a % (model.next + 1));
    switch (call) {
      case 'enqueue': {
        const values = Array.from({ length: 1 + (a % 4) }, () => ++this.#written);
        await queue.enqueueMany(values);
        for (const value of values) model.put(value);
        return;
      }
      case 'bad':
        if (a % 3 > 0) return;
        await queue.store.write(Buffer.from('?'));
        model.put(undefined);
        return;
      case 'claim': {
        const max = a % 4;
        const leaseMs = b % 3 === 0 ? 1 + 10 * b : undefined;
        const expected = max === 0 ? [] : model.claim(max, holder, leaseMs ?? this.#program.options.leaseMs);
        const got = await caught(queue.claimMany(max, { leaseMs }));
        assert.deepEqual(
          typeof got === 'string' ? got : got.map(({ index, attempt, value }) => [index, attempt, value]),
          expected?.map(({ message }) => [message.index, message.attempts, message.value]) ?? 'CODEC',
          `claimMany(${max})`,
        );
        for (const [at, { delivery: number, message }] of (expected ?? []).entries()) {
          const delivery = typeof got === 'string' ? undefined : got[at];
          if (delivery !== undefined)
            this.#held.push({ delivery, number, holder, until: message.claim?.until ?? 0 });
        }
        return;
      }
      case 'dequeue': {
        const max = a % 4;
        const expected = max === 0 ? [] : model.dequeue(max);
        assert.deepEqual(
          await caught(queue.dequeueMany(max)),
          expected?.map(({ value }) => value) ?? 'CODEC',
          `dequeueMany(${max})`,
        );
        return;
      }
      case 'flush': {
        const expected = model.dequeue(Number.MAX_SAFE_INTEGER);
        assert.deepEqual(
          await caught(queue.flush()),
          expected?.map(({ value }) => value) ?? 'CODEC',
          'flush',
        );
        return;
      }
      case 'ack':
      case 'nack':
      case 'reject':
      case 'extend':
        return this.#settle(call, a, b);
      case 'wait':
        this.#clock.advance(a * 4);
        return;
      case 'jump':
        this.#clock.setWall(this.#clock.now() + a * 4);
        // Only who looks sees it.
        return;
      case 'requeue': {
        const which = b % 3 === 0 ? undefined : index;
        assert.equal(await queue.deadLetters.requeue(which), model.requeue(which), `requeue(${which})`);
        return;
      }
      case 'purge': {
        const which = b % 3 === 0 ? undefined : index;
        assert.equal(await queue.deadLetters.purge(which), model.purge(which), `purge(${which})`);
        return;
      }
      case 'cancel':
        assert.equal(await queue.cancel(index), model.remove([index]) === 1, `cancel(${index})`);
        return;
      case 'delete':
        assert.equal(await queue.delete([index, index + b]), model.remove([index, index + b]), 'delete');
        return;
      case 'clear': {
        const living = model.messages.filter(({ death }) => death === undefined);
        assert.equal(await queue.clear(), model.remove(living.map(({ index }) => index)), 'clear');
        return;
      }
      case 'reopen':
        await queue.close();
        model.release(holder, false);
        this.#drop(holder);
        this.#openers[who] = await this.#openOne();
        return;
      case 'kill':
        // With lock files the claims of the dead last as long as their leases, which is the other model's affair.
        if (this.#program.locking === 'lockfile') return;
        this.#machine.kill(this.#opener(who).disk);
        this.#drop(holder);
        this.#openers[who] = await this.#openOne();
        this.#passProbe(holder);
        return;
    }
  }

  /** Leases that end meanwhile have ended when somebody finds the dead. */
  #passProbe(dead: number): void {
    const lookedAt = this.#clock.monotonic();
    this.#clock.advance(PROBE_MS);
    this.#model.release(dead, true, lookedAt);
  }

  #drop(holder: number): void {
    this.#held = this.#held.filter((one) => one.holder !== holder);
  }

  async #settle(call: 'ack' | 'nack' | 'reject' | 'extend', a: number, b: number): Promise<void> {
    const held = this.#held[this.#held.length - 1 - (a % Math.max(1, this.#held.length))];
    if (held === undefined) return;
    const model = this.#model;
    const { delivery } = held;
    const message = model.find(delivery.index);
    const isHeld =
      message !== undefined && message.claim?.delivery === held.number && model.isClaimed(message);
    const isGone = message === undefined && held.until > this.#clock.monotonic();
    const leaseMs = 1 + 5 * b;
    const delayMs = b % 2 === 0 ? undefined : b % 5 === 0 ? 0 : b * 3;
    const reason = b % 3 === 0 ? `because of ${b}` : undefined;
    const calls = {
      ack: () => delivery.ack(),
      nack: () => delivery.nack({ delayMs, reason }),
      reject: () => delivery.reject(reason),
      extend: () => delivery.extend(leaseMs),
    };
    const outcome = await caught(calls[call]());
    const expected = isHeld || (call === 'ack' && isGone) ? undefined : 'LEASE_LOST';
    assert.equal(outcome, expected, `${call} of message ${delivery.index}, attempt ${delivery.attempt}`);
    if (!isHeld) return;
    if (call === 'ack') model.remove([delivery.index]);
    else if (call === 'extend') {
      held.until = this.#clock.monotonic() + leaseMs;
      if (message.claim !== undefined) message.claim.until = held.until;
    } else {
      held.until = Number.NEGATIVE_INFINITY;
      if (call === 'nack') model.nack(message, delayMs, reason);
      else model.die(message, reason ?? 'rejected');
    }
  }

  /** Everything that can be seen, on whoever's side. */
  async compare(): Promise<void> {
    const model = this.#model;
    model.look();
    for (const [at, { queue, heard, since }] of this.#openers.entries()) {
      const { length, waiting, claimed, delayed, dead } = await queue.stats();
      assert.deepEqual({ length, waiting, claimed, delayed, dead }, model.counts(), `opener ${at}`);
      assert.equal(await queue.length(), waiting, `opener ${at}: length`);
      assert.equal(await queue.deadLetters.length(), dead, `opener ${at}: dead letters`);
      assert.deepEqual(
        await caught(queue.peekMany(Number.MAX_SAFE_INTEGER)),
        model.readable(Number.MAX_SAFE_INTEGER)?.map(({ value }) => value) ?? 'CODEC',
        `opener ${at}: in line`,
      );
      const found: unknown[] = [];
      const firstFailures: number[] = [];
      for await (const letter of queue.deadLetters.list()) {
        const { index, reason, attempts, firstFailedAt, lastFailedAt } = letter;
        const value = await caught(Promise.resolve().then(() => letter.value()));
        const isCodec = value === 'CODEC' && /codec/.test(reason);
        const times = [firstFailedAt.getTime(), lastFailedAt.getTime()];
        found.push([index, value, isCodec ? 'CODEC' : reason, attempts, ...times]);
        firstFailures.push(firstFailedAt.getTime());
      }
      const expected = model.dead().map(({ index, value = 'CODEC', death }, which) => {
        const { reason, attempts, firstFailedAt: first, lastFailedAt } = death ?? {};
        const said = firstFailures[which] ?? Number.NaN;
        const isRight = first !== undefined && said >= first.from && said <= first.to;
        return [index, value, reason, attempts, isRight ? said : first?.to, lastFailedAt];
      });
      assert.deepEqual(found, expected, `opener ${at}: the dead letters`);
      this.#compareNews(at, heard, since);
    }
  }

  /** Each death is heard of once; one that was taken back in a journal that was missed may be passed over. */
  #compareNews(at: number, heard: Opener['heard'], since: number): void {
    const named = ({ index, reason }: { index: number; reason: string }): string =>
      `${index}: ${/codec '/.test(reason) ? 'CODEC' : reason}`;
    const unheard = this.#model.deaths.slice(since).map(named);
    for (const death of heard.map(named)) {
      const place = unheard.indexOf(death);
      assert.ok(place >= 0, `opener ${at} heard of ${death}, which did not happen, or not again`);
      unheard.splice(place, 1);
    }
    for (const death of unheard) {
      const message = this.#model.find(Number(death.split(':')[0]));
      const known = message?.death && named({ index: message.index, reason: message.death.reason });
      assert.notEqual(known, death, `opener ${at} has not heard of ${death}`);
    }
  }
}

/** What it resolves with, or the code that it rejects with. */
const caught = <T>(promise: Promise<T>): Promise<T | string> =>
  promise.catch((error: unknown) => {
    if (error instanceof DurostoreError) return error.code;
    throw error;
  });
