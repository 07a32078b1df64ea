import type { Engine } from '../store/engine.js';
import type { Holder } from './holder.js';

/**
 * Probes for holders that died, for all who wait here: by one timer, however many they are. That a claim is freed is a change,
 * which wakes them.
 */
export class DeathWatch {
  readonly #engine: Engine;
  readonly #holder: Holder;
  #waiting = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(engine: Engine, holder: Holder) {
    this.#engine = engine;
    this.#holder = holder;
  }

  /** To be called when somebody begins to wait, and whenever one who was woken waits on: others may have claimed meanwhile. */
  begin(): void {
    this.#waiting += 1;
    this.#arm();
  }

  /** Once for each `begin`. */
  end(): void {
    this.#waiting -= 1;
    if (this.#waiting > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#waiting === 0) return;
    const at = this.#holder.nextProbe();
    if (at < Number.POSITIVE_INFINITY) this.#cancelTimer = this.#engine.clock.setTimer(at, this.#probe);
  }

  readonly #probe = (): void => {
    this.#cancelTimer = undefined;
    this.#free()
      // Those who wait try it themselves, and meet the error.
      .catch(() => {
        this.#holder.probeAgain();
        this.#engine.indexer.changed();
      })
      .finally(() => this.#arm());
  };

  async #free(): Promise<void> {
    await this.#holder.freeDead();
  }
}
