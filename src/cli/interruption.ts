import { constants } from 'node:os';

/** Not SIGHUP, which `nohup` has the system ignore. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Turns the signals that ask a program to end into an `AbortSignal`. A second one ends it at once. */
export class Interruption {
  readonly #controller = new AbortController();
  #number = 0;

  constructor() {
    for (const name of SIGNALS) process.once(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get exitCode(): number {
    return 128 + this.#number;
  }

  end(): void {
    for (const name of SIGNALS) process.removeListener(name, this.#onSignal);
  }

  readonly #onSignal = (name: (typeof SIGNALS)[number]): void => {
    this.#number = constants.signals[name];
    this.#controller.abort(new Error(`interrupted by ${name}`));
    this.end();
  };
}

/** `endless` work has no end of its own: an interruption is its regular one. */
export async function untilInterrupted(
  signal: AbortSignal,
  endless: boolean,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!endless || !signal.aborted || error !== signal.reason) throw error;
  }
}
