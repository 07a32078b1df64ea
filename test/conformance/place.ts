import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Queue, QueueOptions, Store, StoreOptions } from '../../src/mod.js';
import type { ConformanceEngine, Fresh, TestClock } from './engine.js';

const DEADLINE_MS = 60_000;

/** Where a test opens what it needs: each opener knows of the others only what processes of their own would. */
export class Place {
  readonly engine: ConformanceEngine;
  readonly clock: TestClock | undefined;
  readonly #t: Test;
  readonly #fresh: Fresh;

  constructor(t: Test, engine: ConformanceEngine, fresh: Fresh, isTimed: boolean) {
    this.engine = engine;
    this.clock = isTimed ? engine.clock?.() : undefined;
    this.#t = t;
    this.#fresh = fresh;
  }

  /** What the engine was given to open. */
  get options(): Fresh {
    return this.clock === undefined ? this.#fresh : { ...this.#fresh, clock: this.clock };
  }

  /** Opens a queue here; it is closed with the test. */
  async openQueue<T = string>(options: Partial<QueueOptions<T>> = {}): Promise<Queue<T>> {
    const queue = await this.engine.openQueue<T>({ ...this.options, ...options });
    this.#t.teardown(() => queue.close());
    return queue;
  }

  async openStore(options: Partial<StoreOptions> = {}): Promise<Store> {
    const store = await this.engine.openStore({ ...this.options, ...options });
    this.#t.teardown(() => store.close());
    return store;
  }

  /** Time goes by: moved, or waited for. */
  async pass(ms: number): Promise<void> {
    if (this.clock !== undefined) await this.clock.advance(ms);
    else await sleep(ms);
  }

  /** What a promise comes to while time goes by in steps, for as long as it takes; rejects with it. */
  async passUntil<T>(what: string, promise: Promise<T>, stepMs = 100): Promise<T> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    promise.then(end, end);
    const start = performance.now();
    while (!isOver) {
      if (performance.now() - start > DEADLINE_MS) throw new Error(`waited ${DEADLINE_MS} ms for ${what}`);
      await this.pass(stepMs);
      await sleep(1);
    }
    return promise;
  }

  /** The condition's first result that is neither false, undefined nor null, while time goes by. */
  async until<T>(
    what: string,
    condition: () => T | Promise<T>,
  ): Promise<Exclude<T, false | undefined | null>> {
    const start = performance.now();
    for (;;) {
      const result = await condition();
      if (result !== false && result !== undefined && result !== null)
        return result as Exclude<T, false | undefined | null>;
      if (performance.now() - start > DEADLINE_MS) throw new Error(`waited ${DEADLINE_MS} ms for ${what}`);
      await this.pass(10);
      await sleep(1);
    }
  }
}
