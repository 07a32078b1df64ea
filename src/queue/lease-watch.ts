import type { Engine } from '../store/engine.js';
import type { SignalWatch, Watched } from './delivery.js';

/** Aborts the signals of deliveries whose claim is over: once a turn after changes, and when the earliest lease ends. */
export class LeaseWatch implements SignalWatch {
  readonly assertOpen: () => void;
  readonly #engine: Engine;
  readonly #deliveries = new Set<Watched>();
  #stopListening: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #scheduled = false;

  /** `assertOpen` throws CLOSED when the queue is closed. */
  constructor(engine: Engine, assertOpen: () => void) {
    this.#engine = engine;
    this.assertOpen = assertOpen;
  }

  add(delivery: Watched): void {
    this.#deliveries.add(delivery);
    this.#stopListening ??= this.#engine.indexer.onChange(this.#schedule);
    this.#checkAt(delivery.check());
  }

  remove(delivery: Watched): void {
    if (this.#deliveries.delete(delivery) && this.#deliveries.size === 0) this.#stop();
  }

  /** The queue is closed: all its claims are over. */
  end(): void {
    const deliveries = [...this.#deliveries];
    this.#deliveries.clear();
    this.#stop();
    for (const delivery of deliveries) delivery.over(this.#engine.closedError());
  }

  /** Changes come by the thousand; the deliveries are looked at once for all of a turn. */
  readonly #schedule = (): void => {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#checkAll();
    });
  };

  readonly #checkAll = (): void => {
    this.#clearTimer();
    let next = Number.POSITIVE_INFINITY;
    for (const delivery of [...this.#deliveries]) next = Math.min(next, delivery.check());
    this.#checkAt(next);
  };

  #checkAt(time: number): void {
    if (time >= this.#timerAt || this.#deliveries.size === 0) return;
    this.#clearTimer();
    this.#timerAt = time;
    this.#cancelTimer = this.#engine.clock.setTimer(time, this.#checkAll);
  }

  #clearTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#clearTimer();
  }
}
