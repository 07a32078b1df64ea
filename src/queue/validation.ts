import type { StandardSchemaV1 } from './standard-schema.js';
import { type Judged, judge, valueOf } from './validate.js';

/**
 * Checks values on their way in, before their call joins a batch. A schema that answers at once costs no turn. One that answers with a
 * promise is awaited, and ⚑ who called later goes on later, also where its own value was checked sooner: calls keep their order.
 */
export class Validation<T> {
  readonly #schema: StandardSchemaV1<unknown, T>;
  /** Ends with the checks of the last call that waits for some; undefined where none does. */
  #last: Promise<unknown> | undefined;

  constructor(schema: StandardSchemaV1<unknown, T>) {
    this.#schema = schema;
  }

  /** What the schema makes of a value. INVALID_VALUE, or `signal.reason` where it aborts meanwhile. */
  one(value: unknown, signal?: AbortSignal): T | Promise<T> {
    const judged = judge(this.#schema, value);
    if (this.#last === undefined && !(judged instanceof Promise)) return valueOf(judged);
    return this.#inTurn(judged, signal).then((outcome) => valueOf(outcome));
  }

  /** The same for all of a batch; the error names the position of the first that fails. */
  many(values: readonly unknown[], signal?: AbortSignal): readonly T[] | Promise<readonly T[]> {
    const judged = values.map((value) => judge(this.#schema, value));
    const valuesOf = (all: readonly Judged<T>[]): readonly T[] => all.map((one, at) => valueOf(one, at));
    if (this.#last === undefined && areAtHand(judged)) return valuesOf(judged);
    return this.#inTurn(Promise.all(judged), signal).then(valuesOf);
  }

  /** Resolves when what was asked for is there, and everybody who asked before has been told. */
  async #inTurn<R>(asked: R | Promise<R>, signal: AbortSignal | undefined): Promise<R> {
    const before = this.#last;
    const mine = (async () => {
      await before;
      return asked;
    })();
    this.#last = mine;
    void mine.then(() => {
      if (this.#last === mine) this.#last = undefined;
    });
    return unlessAborted(mine, signal);
  }
}

const areAtHand = <T>(judged: readonly (Judged<T> | Promise<Judged<T>>)[]): judged is readonly Judged<T>[] =>
  judged.every((one) => !(one instanceof Promise));

/** The promise, or a rejection with the signal's reason if it aborts sooner. */
async function unlessAborted<R>(promise: Promise<R>, signal: AbortSignal | undefined): Promise<R> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
      }),
    ]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}
