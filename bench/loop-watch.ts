import { closeSync, openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** What one look at the event loop found, in milliseconds. */
export interface LoopFigures {
  /** The longest that the loop stood still. */
  readonly longest: number;
  /** All but a hundredth of the time was spent in turns of at most so long. */
  readonly p99: number;
  /** The longest delay that Node's own monitor saw, by wall time; its resolution is a millisecond. */
  readonly monitored: number;
}

/**
 * Measures each turn of the event loop, by a chain of `setImmediate`: whatever comes between two of them kept the loop from
 * everybody else. Where the system says for how long this thread waited for a processor that others had, that is taken off.
 */
export class LoopWatch {
  readonly #turns: number[] = [];
  readonly #monitor = monitorEventLoopDelay({ resolution: 1 });
  readonly #schedule = openSchedule();
  #at = 0;
  #waited = 0;
  #running = true;

  constructor() {
    this.#monitor.enable();
    this.#at = performance.now();
    this.#waited = this.#schedule.waitedMs();
    setImmediate(this.#turn);
  }

  /** Resolves when the turn that is running was counted, too. */
  async stop(): Promise<LoopFigures> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.#running = false;
    this.#monitor.disable();
    this.#schedule.close();
    const sorted = this.#turns.sort((a, b) => a - b);
    const all = sorted.reduce((sum, turn) => sum + turn, 0);
    let spent = 0;
    const p99 = sorted.find((turn) => {
      spent += turn;
      return spent >= all * 0.99;
    });
    return { longest: sorted.at(-1) ?? 0, p99: p99 ?? 0, monitored: this.#monitor.max / 1e6 };
  }

  readonly #turn = (): void => {
    if (!this.#running) return;
    const now = performance.now();
    const waited = this.#schedule.waitedMs();
    this.#turns.push(Math.max(0, now - this.#at - (waited - this.#waited)));
    this.#at = performance.now();
    this.#waited = waited;
    setImmediate(this.#turn);
  };
}

/** How long the main thread was ready to run and did not: Linux alone tells. */
function openSchedule(): { waitedMs(): number; close(): void } {
  let fd: number;
  try {
    fd = openSync('/proc/self/schedstat', 'r');
  } catch {
    return { waitedMs: () => 0, close: () => {} };
  }
  const bytes = Buffer.alloc(100);
  return {
    waitedMs() {
      const length = readSync(fd, bytes, 0, bytes.length, 0);
      return Number(bytes.toString('latin1', 0, length).split(' ')[1]) / 1e6;
    },
    close: () => closeSync(fd),
  };
}
