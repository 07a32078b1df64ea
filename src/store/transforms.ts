import { CodecError } from '../errors.js';
import { encodeLongMark, findLongMark, Mark } from '../frame/marks.js';

/**
 * Turns the bytes of a record into others on their way to the disk, and back when they are read. Both run outside all locks, in the
 * calling thread, and must be inverse to each other. What throws, or returns anything but a Uint8Array, is CODEC. What they are handed
 * is theirs, and may be changed; what they return is kept for a while, so its memory must not be used again.
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
/** ⚑ No name of a transform: who does not know that there are pieces finds that one is missing. */
const IN_PIECES = '*';

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

  /** CODEC: nothing was written. What was there is not any more where a transform works in place. */
  encodeOwned(payload: Uint8Array): Uint8Array {
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

  /** The same of what is the caller's, who may write it again. */
  encode(payload: Uint8Array): Uint8Array {
    return this.encodeOwned(new Uint8Array(payload));
  }

  /** These marks and the one that names the transforms. */
  withMark(marks: Buffer | undefined): Buffer {
    if (marks === undefined) return this.#mark;
    if (this.#latest?.marks !== marks) this.#latest = { marks, all: Buffer.concat([marks, this.#mark]) };
    return this.#latest.all;
  }

  /** The mark that names them, of what went through them piece by piece. */
  get markOfPieces(): Buffer {
    return transformsMark(`${IN_PIECES}${BETWEEN}${this.names}`);
  }

  get(name: string): Transform | undefined {
    return this.#byName.get(name);
  }
}

export const transformsMark = (names: string): Buffer => encodeLongMark(Mark.transforms, Buffer.from(names));

/** What the marks of a record say that its payload went through. */
export interface NotedTransforms {
  readonly names: readonly string[];
  /** Whether it did so piece by piece; see `pieces.ts`. */
  readonly inPieces: boolean;
}

let latestMarks: Uint8Array | undefined;
let latestNoted: NotedTransforms | undefined;

/** Undefined where it went through none. Records with the same marks mostly share them: then they need not be looked through again. */
export function notedTransforms(marks: Uint8Array): NotedTransforms | undefined {
  if (marks === latestMarks) return latestNoted;
  const names = findLongMark(marks, Mark.transforms)?.toString().split(BETWEEN);
  const inPieces = names?.[0] === IN_PIECES;
  latestNoted = names && { names: inPieces ? names.slice(1) : names, inPieces };
  latestMarks = marks;
  return latestNoted;
}

/** What is to be undone of a record, in that order: the last one first. CODEC, with its index, where one is not among the opener's. */
export function transformsToUndo(
  index: number,
  { names }: NotedTransforms,
  transforms: Transforms | undefined,
): readonly Transform[] {
  const missing: string[] = [];
  const found: Transform[] = [];
  for (const name of names) {
    const transform = transforms?.get(name);
    if (transform === undefined) missing.push(name);
    else found.unshift(transform);
  }
  if (missing.length > 0)
    throw new CodecError(
      `record ${index} went through ${quoted(names)}, and ${quoted(missing)} ${missing.length === 1 ? 'is' : 'are'} not ` +
        'among the transforms here. It stays where it is: open the store with that, or delete the record',
      index,
    );
  return found;
}

/** Bytes of a record, as they were before the transforms. CODEC, with its index. */
export function undo(index: number, stored: Uint8Array, toUndo: readonly Transform[]): Uint8Array {
  let bytes: unknown = stored;
  for (const transform of toUndo) {
    const { name } = transform;
    try {
      bytes = transform.decode(bytes as Uint8Array);
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
