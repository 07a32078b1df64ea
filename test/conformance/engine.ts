import type { Test } from 'tap';
import type { Clock, Queue, QueueOptions, Store, StoreOptions } from '../../src/mod.js';

/** The options that make a place of its own, together with what an engine needs beside. */
export type Fresh = Pick<StoreOptions, 'directory'> & Partial<StoreOptions>;

/** A clock that a test moves. */
export interface TestClock extends Clock {
  advance(ms: number): Promise<void>;
  setWall(ms: number): void;
}

/** Something that keeps the contract of queues and stores. */
export interface ConformanceEngine {
  readonly name: string;
  openQueue<T>(options: QueueOptions<T>): Promise<Queue<T>>;
  openStore(options: StoreOptions): Promise<Store>;
  /** A place where nothing was opened before; it goes with the test. */
  fresh(t: Test): Promise<Fresh>;
  /** Undefined where an engine's time cannot be moved: then tests that need that let time pass. */
  readonly clock?: (() => TestClock) | undefined;
  /** Tests that this engine is not held to, by suite and name (`order: each of …`), each with the reason why. */
  readonly skips: ReadonlyMap<string, string>;
}
