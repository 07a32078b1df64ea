import type { Test } from 'tap';
import type { DurostoreError } from '../../src/errors.js';
import type { Delivery, Queue } from '../../src/mod.js';

/** A promise and what settles it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let settle: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  if (settle === undefined) throw new Error('a promise calls its executor at once');
  return { promise, ...settle };
}

/** A handler that waits at each message until it is told how that is to end. */
export class Gates<T> {
  /** Deliveries in the order in which their handlers began. */
  readonly begun: Delivery<T>[] = [];
  readonly #open: Deferred<void>[] = [];
  #running = 0;
  /** The most handlers that ran at a time. */
  most = 0;

  readonly handler = async (delivery: Delivery<T>): Promise<void> => {
    const gate = deferred();
    this.begun.push(delivery);
    this.#open.push(gate);
    this.#running += 1;
    this.most = Math.max(this.most, this.#running);
    try {
      await gate.promise;
    } finally {
      this.#running -= 1;
    }
  };

  get values(): T[] {
    return this.begun.map(({ value }) => value);
  }

  /** Lets the handler that began as number `at` return. */
  open(at: number): void {
    this.#open[at]?.resolve();
  }

  fail(at: number, reason: unknown): void {
    this.#open[at]?.reject(reason);
  }

  openAll(): void {
    for (const gate of this.#open) gate.resolve();
  }
}

/** The errors that the queue tells of, as they come. */
export function errorsOf(queue: Queue<never>): DurostoreError[] {
  const errors: DurostoreError[] = [];
  queue.on('error', (error) => errors.push(error));
  return errors;
}

/** Fails the test if a rejection stays unhandled while it runs. */
export function noneUnhandled(t: Test): void {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): number => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  t.teardown(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    if (unhandled.length > 0) throw new Error(`rejections left unhandled: ${unhandled.join('; ')}`);
  });
}
