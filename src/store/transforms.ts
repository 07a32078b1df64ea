import { CodecError } from '../errors.js';
import { encodeLongMark, findLongMark, Mark } from '../frame/marks.js';
import type { StoredRecord } from '../segment/stored-record.js';

/**
 * Turns the bytes of a record into others on their way to the disk, and back when they are read. Both run outside all locks, in the
 * calling thread, and must be inverse to each other. What throws, or returns anything but a Uint8Array, is CODEC.
 */
export interface Transform {
  /**
   * Noted with each record, so that one that is missing is told; at most 100 letters, digits, `_`, `-`, `.`. `compress` and `encrypt`
   * are those of this library.
   */
  readonly name: string;
  encode(bytes: Uint8Array): Uint8Array;
  decode(bytes: Uint8Array): Uint8Array;
}

const BETWEEN = ',';

/** An opener's transforms: what is written goes through all of them in their order, what is read through those that are noted with it. */
export class Transforms {
  /** In their order. */
  readonly names: string;
  readonly #inOrder: readonly Transform[];
  readonly #byName: ReadonlyMap<string, Transform>;
  readonly #mark: Buffer;
  /** Records that are written one after the other mostly have the same marks. */
  #latest: { readonly marks: Buffer; readonly all: Buffer } | undefined;

  constructor(inOrder: readonly Transform[]) {
    this.#inOrder = inOrder;
    this.#byName = new Map(inOrder.map((one) => [one.name, one]));
    this.names = inOrder.map((one) => one.name).join(BETWEEN);
    this.#mark = transformsMark(this.names);
  }

  /** CODEC: nothing was written. */
  encode(payload: Uint8Array): Uint8Array {
    let bytes = payload;
    for (const transform of this.#inOrder) {
      let encoded: unknown;
      try {
        encoded = transform.encode(bytes);
      } catch (error) {
        throw new CodecError(
          `the transform '${transform.name}' cannot encode the data: ${reasonOf(error)}. Nothing was written`,
          undefined,
          error,
        );
      }
      if (!(encoded instanceof Uint8Array))
        throw new CodecError(
          `the transform '${transform.name}' did not return a Uint8Array. Nothing was written`,
        );
      bytes = encoded;
    }
    return bytes;
  }

  /** These marks and the one that names the transforms. */
  withMark(marks: Buffer | undefined): Buffer {
    if (marks === undefined) return this.#mark;
    if (this.#latest?.marks !== marks) this.#latest = { marks, all: Buffer.concat([marks, this.#mark]) };
    return this.#latest.all;
  }

  get(name: string): Transform | undefined {
    return this.#byName.get(name);
  }
}

export const transformsMark = (names: string): Buffer => encodeLongMark(Mark.transforms, Buffer.from(names));

let latestMarks: Uint8Array | undefined;
let latestNames: readonly string[] | undefined;

/** Records with the same marks mostly share them: then they need not be looked through again. */
function namesIn(marks: Uint8Array): readonly string[] | undefined {
  if (marks === latestMarks) return latestNames;
  latestNames = findLongMark(marks, Mark.transforms)?.toString().split(BETWEEN);
  latestMarks = marks;
  return latestNames;
}

/**
 * The record as it was handed in: what its marks say that it went through is undone. CODEC, with its index, where a transform is not
 * among the opener's, or cannot decode it.
 */
export function plainRecord(record: StoredRecord, transforms: Transforms | undefined): StoredRecord {
  const { marks } = record;
  if (marks.length === 0) return record;
  const names = namesIn(marks);
  return names === undefined ? record : { ...record, payload: decoded(record, names, transforms) };
}

function decoded(
  { index, payload }: StoredRecord,
  names: readonly string[],
  transforms: Transforms | undefined,
): Uint8Array {
  const missing = names.filter((name) => transforms?.get(name) === undefined);
  if (missing.length > 0)
    throw new CodecError(
      `record ${index} went through ${quoted(names)}, and ${quoted(missing)} ${missing.length === 1 ? 'is' : 'are'} not ` +
        'among the transforms here. It stays where it is: open the store with that, or delete the record',
      index,
    );
  let bytes: unknown = payload;
  for (const name of [...names].reverse()) {
    try {
      bytes = transforms?.get(name)?.decode(bytes as Uint8Array);
    } catch (error) {
      throw new CodecError(
        `record ${index} cannot be decoded by the transform '${name}': ${reasonOf(error)}. It stays where it is: ` +
          'open the store with what it was written with, or delete the record',
        index,
        error,
      );
    }
    if (!(bytes instanceof Uint8Array))
      throw new CodecError(
        `the transform '${name}' did not return a Uint8Array for record ${index}. It stays where it is: correct the transform`,
        index,
      );
  }
  const { buffer, byteOffset, length } = bytes as Uint8Array;
  return new Uint8Array(buffer, byteOffset, length);
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** Without its end, where it has one: sentences are put together. */
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
