import { DurostoreError, InvalidValueError, type SchemaIssue } from '../errors.js';
import type { Codec } from './codec.js';
import type { StandardSchemaV1 } from './standard-schema.js';

/** What a schema makes of a value, or what it has against it; `cause` where it threw instead of saying. */
export type Judged<T> =
  | { readonly value: T }
  | { readonly issues: readonly SchemaIssue[]; readonly cause?: unknown };

/** Asks the schema; a promise only where it answers with one. Neither throws nor rejects. */
export function judge<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
): Judged<T> | Promise<Judged<T>> {
  try {
    const answer: unknown = schema['~standard'].validate(value);
    if (isPromise(answer))
      return Promise.resolve(answer)
        .then(readAnswer<T>)
        .catch(thrown);
    return readAnswer(answer);
  } catch (error) {
    return thrown(error);
  }
}

/** The value; INVALID_VALUE where there are issues, with the position that it has in a batch. */
export function accepted<T>(judged: Judged<T>, position?: number): T {
  if ('value' in judged) return judged.value;
  throw new InvalidValueError(judged.issues, { position }, judged.cause);
}

/**
 * The codec with the schema behind it, for reading: a stored value that fails is treated as one that cannot be decoded. UNSUPPORTED
 * where the schema answers with a promise: values are read ahead, in one turn.
 */
export function validatingCodec<T>(codec: Codec<T>, schema: StandardSchemaV1<unknown, T>): Codec<T> {
  return {
    name: codec.name,
    encode: (value) => codec.encode(value),
    decode(bytes) {
      const judged = judge(schema, codec.decode(bytes));
      if (!(judged instanceof Promise)) return accepted(judged);
      throw new DurostoreError(
        'UNSUPPORTED',
        'validateOnRead needs a schema that answers at once, and this one answers with a promise. Leave it out',
      );
    },
  };
}

/** Of any make. */
const isPromise = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && typeof (answer as { then?: unknown }).then === 'function';

/** Answers come from code that is not ours. */
function readAnswer<T>(answer: unknown): Judged<T> {
  if (typeof answer !== 'object' || answer === null)
    return thrown(new TypeError('the schema answered with neither a value nor issues'));
  const { issues, value } = answer as { issues?: unknown; value?: unknown };
  if (issues === undefined) return { value: value as T };
  return { issues: Array.isArray(issues) ? (issues as readonly SchemaIssue[]) : [] };
}

function thrown(error: unknown): { issues: readonly SchemaIssue[]; cause: unknown } {
  const message = error instanceof Error ? error.message : String(error);
  return { issues: [{ message: `the schema threw: ${message}` }], cause: error };
}
