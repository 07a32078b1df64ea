import type { Death, FactSink } from './facts.js';
import type { Schedule } from './schedule-facts.js';

/**
 * Passes on what stays true without a holder: what is gone or dead, how often the rest was claimed, schedules and
 * consumers.
 */
export class WithoutClaims implements FactSink {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  gone(from: number, to: number): void {
    this.#sink.gone(from, to);
  }

  lost(from: number, to: number): void {
    this.#sink.lost(from, to);
  }

  claimed(from: number, to: number, _incarnation: number, attempt: number): void {
    for (let index = from; index < to; index++) this.#sink.attempted(index, attempt);
  }

  attempted(index: number, attempts: number): void {
    this.#sink.attempted(index, attempts);
  }

  attemptedSince(index: number, attempts: number, firstFailedAt: number, due: number): void {
    this.#sink.attemptedSince(index, attempts, firstFailedAt, due);
  }

  died(index: number, death: Death): void {
    this.#sink.died(index, death);
  }

  carried(upTo: number, isOpen: boolean): void {
    this.#sink.carried(upTo, isOpen);
  }

  scheduled(schedule: Schedule): void {
    this.#sink.scheduled(schedule);
  }

  unscheduled(name: string): void {
    this.#sink.unscheduled(name);
  }

  ticking(name: string, time: number, index: number): void {
    this.#sink.ticking(name, time, index);
  }

  ticked(name: string): void {
    this.#sink.ticked(name);
  }

  unticked(name: string): void {
    this.#sink.unticked(name);
  }

  consumer(name: string, since: number, position: number): void {
    this.#sink.consumer(name, since, position);
  }

  consumed(name: string, index: number): void {
    this.#sink.consumed(name, index);
  }

  consumerRemoved(name: string): void {
    this.#sink.consumerRemoved(name);
  }

  slotTaken(): void {}
  freed(): void {}
  extended(): void {}
  released(): void {}
  putOff(): void {}
  requeued(): void {}
  progress(): void {}
}
