import process from 'node:process';

/** Where the library takes time from, so that tests can move it. All figures are milliseconds. */
export interface Clock {
  /** Wall time since the Unix epoch. */
  now(): number;
  /** Time since the machine's boot, the same in all its processes and never set back. */
  monotonic(): number;
  /** Calls `run` once when `monotonic()` has reached `atMs`; returns what cancels it. Keeps no process alive. */
  setTimer(atMs: number, run: () => void): () => void;
}

/** Who waits for a wall time looks at the clock so often: it may be set meanwhile. */
export const WALL_LOOK_MS = 1000;

/** The longest delay that Node's timers take; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's own clocks. `process.hrtime` reads the monotonic clock that counts from boot. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  setTimer(atMs, run) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const remaining = atMs - systemClock.monotonic();
      if (remaining > LONGEST_TIMEOUT_MS) timer = setTimeout(arm, LONGEST_TIMEOUT_MS);
      else timer = setTimeout(run, Math.max(0, Math.ceil(remaining)));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
