import { systemClock } from '../../src/clock.js';
import { osDisk } from '../../src/disk/os.js';
import { DurostoreError, type Queue } from '../../src/mod.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { type Random, randomFrom } from '../support/random.js';
import { Notes } from './notes.js';
import { patient, type SoakOrders, type SoakPlan } from './soak-plan.js';

/** What a process of a soak works with. */
export class Workplace {
  readonly plan: SoakPlan;
  readonly life: number;
  readonly notes: Notes;
  readonly chance: Random;
  readonly signal: AbortSignal;
  readonly directory: string;
  readonly #origin: number;
  #queue: Queue<string> | undefined;

  constructor({ plan, life, notes, seed, directory, origin }: Omit<SoakOrders, 'role'>, signal: AbortSignal) {
    this.plan = plan;
    this.life = life;
    this.notes = new Notes(notes);
    this.chance = randomFrom(seed);
    this.directory = directory;
    this.signal = signal;
    this.#origin = origin;
  }

  /** Milliseconds since the soak began, the same for all processes. */
  now(): string {
    return (systemClock.monotonic() - this.#origin).toFixed(3);
  }

  async queue(): Promise<Queue<string>> {
    const { options, limits } = this.plan;
    const own = { ...patient, directory: this.directory };
    this.#queue ??= await openQueueOn<string>(osDisk, { ...options, ...own }, limits);
    return this.#queue;
  }

  /** Closing frees what is claimed; noted first, so that nobody is surprised by who has it next. */
  async close(): Promise<void> {
    this.notes.write([['closing', this.now()]]);
    await this.#queue?.close();
    this.#queue = undefined;
  }

  odd(what: string): void {
    this.notes.write([['odd', what.replaceAll(/\s+/g, '_')]]);
  }

  /**
   * What an error means with lock files, where a process may have been stopped for long: `'lost'`, nobody will ever see what
   * the call did; `'maybe'`, nobody can tell. Throws any other.
   */
  excuse(error: unknown): 'lost' | 'maybe' {
    if (this.plan.options.locking === 'lockfile' && error instanceof DurostoreError) {
      if (error.code === 'LOCK_LOST') return 'lost';
      if (error.code === 'STORE_FAILED' && /slept for so long|lock was lost while/.test(error.message))
        return 'maybe';
    }
    throw error;
  }
}
