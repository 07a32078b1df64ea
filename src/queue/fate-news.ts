import type { DeadRegister } from '../journal/dead-register.js';
import type { Death } from '../journal/facts.js';
import type { Fates, FateWatcher } from '../journal/fates.js';

interface Died {
  readonly index: number;
  readonly reason: string;
}

interface Progressed {
  readonly index: number;
  readonly value: Uint8Array;
}

/** Claims that are no more are forgotten when there are so many more of them than of others. */
const SLACK = 100;

/**
 * Who died, and who told how far the work has got, since it was asked last. ⚑ Facts are folded before they are committed,
 * and all of them again where a commit failed or a journal was missed: what was taken back is not told, and what was told
 * is not told again.
 */
export class FateNews implements FateWatcher {
  readonly #fates: Fates;
  #stopWatching: (() => void) | undefined;
  #deaths: Died[] = [];
  #progress = new Map<number, Uint8Array>();
  /** The register as of the last time it was asked, and since then as long as nothing was folded again. */
  #dead: DeadRegister;
  #isFoldedAgain = false;
  /** What was told last of each claim. */
  readonly #told = new Map<number, { readonly attempt: number; readonly value: Uint8Array }>();

  constructor(fates: Fates) {
    this.#fates = fates;
    this.#dead = fates.dead;
  }

  /** What is known already is no news. */
  begin(): void {
    this.#stopWatching ??= this.#fates.watch(this);
    this.take();
    for (const [index, { attempt, progress: value }] of this.#fates.claims)
      if (value !== undefined) this.#told.set(index, { attempt, value });
  }

  end(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  moved(): void {}

  died(index: number, { reason }: Death): void {
    if (!this.#isFoldedAgain) this.#deaths.push({ index, reason });
  }

  progressed(index: number, value: Uint8Array): void {
    if (!this.#isFoldedAgain) this.#progress.set(index, value);
  }

  cleared(): void {
    // Nobody else has the register of before any more, and what was not told is not known.
    if (!this.#isFoldedAgain) for (const { index } of this.#deaths) this.#dead.delete(index);
    this.#isFoldedAgain = true;
    this.#deaths = [];
    this.#progress.clear();
  }

  /** The news, in order; from then on it is none. */
  take(): { deaths: readonly Died[]; progress: readonly Progressed[] } {
    const deaths = this.#isFoldedAgain ? this.#newlyDead() : this.#deaths;
    const progress = this.#isFoldedAgain ? this.#newProgress() : [...this.#progress];
    this.#dead = this.#fates.dead;
    this.#deaths = [];
    this.#progress = new Map();
    this.#isFoldedAgain = false;
    for (const [index, value] of progress)
      this.#told.set(index, { attempt: this.#fates.attemptsOf(index), value });
    if (this.#told.size > this.#fates.claims.size + SLACK)
      for (const index of [...this.#told.keys()])
        if (!this.#fates.claims.has(index)) this.#told.delete(index);
    return { deaths, progress: progress.map(([index, value]) => ({ index, value })) };
  }

  #newlyDead(): Died[] {
    const found: Died[] = [];
    for (const [index, death] of this.#fates.dead.entries()) {
      const before = this.#dead.get(index);
      const { lastFailedAt, attempts, reason } = death;
      if (before?.lastFailedAt !== lastFailedAt || before.attempts !== attempts || before.reason !== reason)
        found.push({ index, reason });
    }
    return found;
  }

  #newProgress(): [number, Uint8Array][] {
    const found: [number, Uint8Array][] = [];
    for (const [index, { attempt, progress }] of this.#fates.claims) {
      const told = this.#told.get(index);
      if (progress === undefined) continue;
      if (told?.attempt !== attempt || Buffer.compare(told.value, progress) !== 0)
        found.push([index, progress]);
    }
    return found;
  }
}
