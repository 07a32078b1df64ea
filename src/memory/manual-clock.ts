import type { Clock } from '../clock.js';
import { DurostoreError } from '../errors.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** So many turns of the event loop in which nobody asks for the time are the end of what a timer has caused. */
const QUIET_TURNS = 4;
/** The same for the end of `advance`, where nothing hurries. */
const LAST_QUIET_TURNS = 16;
/** Who asks again and again is waited for so long at most. */
const MOST_TURNS = 1000;

/**
 * A clock that stands still until somebody moves it: leases, delays, schedules and waits of what is opened with it end when a test
 * says so. All openers of a directory should have the same one.
 *
 * ⚑ While it stands still, a call with `waitMs` waits until it is moved, or until there is a message.
 */
export class ManualClock implements Clock {
  #wall: number;
  #monotonic = 1_000_000;
  readonly #timers = new Set<Timer>();
  #moving: Promise<void> = Promise.resolve();
  #isAsked = false;

  /** `startMs`: the wall time to begin with, in milliseconds since the Unix epoch. Default: the beginning of 2030, UTC. */
  constructor(startMs: number = Date.UTC(2030, 0, 1)) {
    this.#wall = checkTime('startMs', startMs);
  }

  now(): number {
    this.#isAsked = true;
    return this.#wall;
  }

  monotonic(): number {
    this.#isAsked = true;
    return this.#monotonic;
  }

  setTimer(atMs: number, run: () => void): () => void {
    this.#isAsked = true;
    const timer: Timer = { at: atMs, run };
    this.#timers.add(timer);
    // One that is due already runs soon, and never within this call.
    if (atMs <= this.#monotonic) setImmediate(() => this.#fire(timer));
    return () => {
      this.#timers.delete(timer);
    };
  }

  /**
   * Moves both times on by so many milliseconds, stopping at each timer on the way, in order of their times; so those fire, too, that
   * are set meanwhile. Resolves when what they have caused has settled, as far as that can be told: when nobody has asked this clock
   * for the time in some turns of the event loop. What waits for something else meanwhile, as for a file, may go on later.
   *
   * Calls one after the other add up. Who waits for a message looks every 250 ms, so a day of waiting is some seconds of work. INVALID_OPTION.
   */
  advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0)
      return Promise.reject(wrong('ms', 'milliseconds, not negative and not infinite', ms));
    this.#moving = this.#moving.then(() => this.#advance(ms));
    return this.#moving;
  }

  /** Sets the wall time alone, as an administrator would. Timers go by the monotonic time, and stay. INVALID_OPTION. */
  setWall(ms: number): void {
    this.#wall = checkTime('ms', ms);
  }

  async #advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    // What was begun in this turn, and has no timer yet.
    await this.#settle(QUIET_TURNS);
    for (;;) {
      const at = this.#nextBy(end);
      this.#moveTo(at ?? end);
      if (at === undefined) break;
      for (const timer of [...this.#timers]) if (timer.at === at) this.#fire(timer);
      await this.#settle(QUIET_TURNS);
    }
    await this.#settle(LAST_QUIET_TURNS);
  }

  #moveTo(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  /** The time of the next timer that is not due yet and will be by then. */
  #nextBy(end: number): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#timers)
      if (at > this.#monotonic && at <= end && (next === undefined || at < next)) next = at;
    return next;
  }

  async #settle(quietTurns: number): Promise<void> {
    let quiet = 0;
    for (let turn = 0; turn < MOST_TURNS && quiet < quietTurns; turn += 1) {
      this.#isAsked = false;
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#isAsked ? 0 : quiet + 1;
    }
  }

  #fire(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.run();
  }
}

function checkTime(what: string, ms: number): number {
  if (!Number.isFinite(ms)) throw wrong(what, 'milliseconds since the Unix epoch', ms);
  return ms;
}

const wrong = (what: string, expected: string, came: unknown): DurostoreError =>
  new DurostoreError(
    'INVALID_OPTION',
    `${what}: expected ${expected}, got ${String(came)}. Correct the call`,
  );
