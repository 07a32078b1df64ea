import type { DurostoreError } from '../errors.js';
import type { Engine } from '../store/engine.js';
import { invalid } from '../store/options.js';
import { FateNews } from './fate-news.js';

export interface QueueEvents {
  /** Messages came, by whoever; the highest index there is. */
  enqueued: { upTo: number };
  /** Messages went, by whoever; the highest index that is gone. */
  removed: { upTo: number };
  /** A message was given up, by whoever. */
  dead: { index: number; reason: string };
  /** A handler said how far it has got, in whichever process. */
  progress: { index: number; value: unknown };
  /** Something failed in the background, or for good. */
  error: DurostoreError;
}

type Listeners = { [E in keyof QueueEvents]: Set<(value: QueueEvents[E]) => void> };

/**
 * Tells of changes, also of those that other processes made. Events may coalesce: at least one comes after a change, and
 * the state is right when it comes. They are delivered in a task of their own, so that a listener that throws harms
 * nobody but itself, in the usual way of an uncaught exception.
 */
export class Events {
  readonly #engine: Engine;
  readonly #listeners: Listeners = {
    enqueued: new Set(),
    removed: new Set(),
    dead: new Set(),
    progress: new Set(),
    error: new Set(),
  };
  readonly #news: FateNews;
  #stopListening: (() => void) | undefined;
  #enqueuedUpTo: number;
  #goneCount: number;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#enqueuedUpTo = engine.tail.nextIndex - 1;
    this.#goneCount = engine.fates.goneSet.count;
    this.#news = new FateNews(engine.fates);
  }

  /** Calls `listener` at each event until the returned function is called. */
  on<E extends keyof QueueEvents>(event: E, listener: (value: QueueEvents[E]) => void): () => void {
    const listeners = Object.hasOwn(this.#listeners, event) ? this.#listeners[event] : undefined;
    if (listeners === undefined)
      throw invalid('event', "'enqueued', 'removed', 'dead', 'progress' or 'error'", event);
    if (typeof listener !== 'function') throw invalid('listener', 'a function', listener);
    if (this.#stopListening === undefined) {
      this.#enqueuedUpTo = this.#engine.tail.nextIndex - 1;
      this.#goneCount = this.#engine.fates.goneSet.count;
      this.#news.begin();
      this.#stopListening = this.#engine.indexer.onChange(this.#compare);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (Object.values(this.#listeners).every((set) => set.size === 0)) this.#stop();
    };
  }

  error(error: DurostoreError): void {
    this.#emit('error', error);
  }

  close(): void {
    this.#stop();
    for (const set of Object.values(this.#listeners)) set.clear();
  }

  readonly #compare = (): void => {
    const { tail, fates } = this.#engine;
    if (tail.nextIndex - 1 > this.#enqueuedUpTo) {
      this.#enqueuedUpTo = tail.nextIndex - 1;
      this.#emit('enqueued', { upTo: this.#enqueuedUpTo });
    }
    if (fates.goneSet.count > this.#goneCount) {
      this.#goneCount = fates.goneSet.count;
      this.#emit('removed', { upTo: fates.highestGone });
    }
    const { deaths, progress } = this.#news.take();
    for (const { index, reason } of deaths) this.#emit('dead', { index, reason });
    for (const { index, value } of progress) this.#emit('progress', { index, value: parsed(value) });
  };

  #emit<E extends keyof QueueEvents>(event: E, value: QueueEvents[E]): void {
    for (const listener of this.#listeners[event]) queueMicrotask(() => listener(value));
  }

  #stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#news.end();
  }
}

/** What another program put there, and is no JSON, is no value. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
