import { onAbort } from '../abort.js';
import type { StandardSchemaV1 } from './standard-schema.js';
import { accepted, type Judged, judge } from './validate.js';

export interface Passing {
  /** Whether an error names the position of the value. */
  readonly isBatch: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks values on their way in, before their call joins a batch. A schema that answers at once costs no turn. One that answers with a
 * promise is awaited, and ⚑ who called later goes on later, also where its own values were checked sooner: calls keep their order.
 */
export class Validation<T> {
  readonly #schema: StandardSchemaV1<unknown, T>;
  /** Ends when the last call that waits has gone on; undefined where none waits. */
  #last: Promise<void> | undefined;

  constructor(schema: StandardSchemaV1<unknown, T>) {
    this.#schema = schema;
  }

  /** Calls `go` with what the schema makes of the values. INVALID_VALUE for the first that fails; `signal.reason` where it aborts meanwhile. */
  async pass<R>(
    values: readonly unknown[],
    passing: Passing,
    go: (valid: readonly T[]) => Promise<R>,
  ): Promise<R> {
    const judged = values.map((value) => judge(this.#schema, value));
    const goOn = async (all: readonly Judged<T>[]): Promise<R> =>
      go(all.map((one, at) => accepted(one, passing.isBatch ? at : undefined)));
    if (this.#last === undefined && areAtHand(judged)) return goOn(judged);
    return this.#inTurn(Promise.all(judged), passing.signal, goOn);
  }

  #inTurn<J, R>(
    judged: Promise<J>,
    signal: AbortSignal | undefined,
    goOn: (judged: J) => Promise<R>,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = (): void => reject(signal?.reason);
      const unlisten = signal === undefined ? undefined : onAbort(signal, abort);
      const turn = Promise.all([judged, this.#last]).then(([all]) => {
        unlisten?.();
        if (this.#last === turn) this.#last = undefined;
        if (!signal?.aborted) resolve(goOn(all));
      });
      this.#last = turn;
    });
  }
}

const areAtHand = <T>(judged: readonly (Judged<T> | Promise<Judged<T>>)[]): judged is readonly Judged<T>[] =>
  judged.every((one) => !(one instanceof Promise));
