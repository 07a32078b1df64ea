import type { Engine } from '../store/engine.js';
import type { SignalWatch, Watched } from './delivery.js';

/** Aborts the signals of deliveries whose claim is over: at every change, and when the earliest lease ends. */
export class LeaseWatch implements SignalWatch {
  readonly assertOpen: () => void;
  readonly #engine: Engine;
  readonly #deliveries = new Set<Watched>();
  #stopListening: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;

  /** `assertOpen` throws CLOSED when the queue is closed. */
  constructor(engine: Engine, assertOpen: () => void) {
    this.#engine = engine;
    this.assertOpen = assertOpen;
  }

  add(delivery: Watched): void {
    this.#deliveries.add(delivery);
    this.#stopListening ??= this.#engine.indexer.onChange(this.#check);
    this.#check();
  }

  remove(delivery: Watched): void {
    if (!this.#deliveries.delete(delivery) || this.#deliveries.size > 0) return;
    this.#stop();
  }

  /** The queue is closed: all its claims are over. */
  end(): void {
    const deliveries = [...this.#deliveries];
    this.#deliveries.clear();
    this.#stop();
    for (const delivery of deliveries) delivery.over(this.#engine.closedError());
  }

  #stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  readonly #check = (): void => {
    let next = Number.POSITIVE_INFINITY;
    for (const delivery of [...this.#deliveries]) next = Math.min(next, delivery.check());
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (next < Number.POSITIVE_INFINITY) this.#cancelTimer = this.#engine.clock.setTimer(next, this.#check);
  };
}
