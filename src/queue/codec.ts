import { deserialize, serialize } from 'node:v8';
import { CodecError, DurostoreError, InvalidValueError } from '../errors.js';
import { encodeMark, findMark, Mark } from '../frame/marks.js';
import type { StoredRecord } from '../segment/stored-record.js';
import { invalid } from '../store/options.js';

export type CodecName = 'json' | 'bytes' | 'v8';

/** Turns values into bytes and back. Both run outside all locks, in the calling thread. */
export interface Codec<T> {
  /** Noted with each record, so that another codec is told apart; at most 100 letters, digits, `_`, `-`, `.`. */
  readonly name: string;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** What `toString` of a buffer makes of the bytes, without a buffer to be made for each value. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

const json: Codec<unknown> = {
  name: 'json',
  encode(value) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError('the value has no JSON form');
    return Buffer.from(text);
  },
  decode: (bytes) => JSON.parse(utf8.decode(bytes)),
};

const v8: Codec<unknown> = {
  name: 'v8',
  encode: (value) => serialize(value),
  decode: (bytes) => deserialize(bytes),
};

const bytes: Codec<unknown> = {
  name: 'bytes',
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError("the codec 'bytes' takes a Uint8Array");
    return value;
  },
  decode: (value) => value,
};

const BUILT_IN: Readonly<Record<string, Codec<unknown>>> = { json, v8, bytes };

/** Whether no code of the user's takes part in it. */
export const isBuiltIn = (codec: object): boolean => codec === json || codec === v8 || codec === bytes;

/** The chosen codec. The type of the values is the caller's word: what comes back is what codec and data make of it. */
export function resolveCodec<T>(codec: CodecName | Codec<T> | undefined): Codec<T> {
  if (codec === undefined) return json as Codec<T>;
  if (typeof codec === 'string') {
    const found = Object.hasOwn(BUILT_IN, codec) ? BUILT_IN[codec] : undefined;
    if (found === undefined) throw invalid('codec', "'json', 'bytes', 'v8' or a codec of your own", codec);
    return found as Codec<T>;
  }
  if (typeof codec !== 'object' || codec === null) throw invalid('codec', 'a name or an object', codec);
  if (typeof codec.name !== 'string' || !/^[A-Za-z0-9_.-]{1,100}$/.test(codec.name)) {
    throw invalid('codec.name', 'at most 100 letters, digits, _, - or .', codec.name);
  }
  if (Object.hasOwn(BUILT_IN, codec.name))
    throw invalid('codec.name', 'a name that is not built in', codec.name);
  for (const method of ['encode', 'decode'] as const) {
    if (typeof codec[method] !== 'function') throw invalid(`codec.${method}`, 'a function', codec[method]);
  }
  return codec;
}

/** Bytes carry no mark: a record without one is bytes, whoever wrote it. */
export const codecMark = (codec: { readonly name: string }): Buffer | undefined =>
  codec.name === 'bytes' ? undefined : encodeMark(Mark.codec, Buffer.from(codec.name));

/** CODEC where the value cannot be encoded. */
export function encodeValue<T>(codec: Codec<T>, value: T): Uint8Array {
  let encoded: unknown;
  try {
    encoded = codec.encode(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodecError(
      `the codec '${codec.name}' cannot encode the value: ${reason}. Nothing was written`,
      undefined,
      error,
    );
  }
  if (encoded instanceof Uint8Array) return encoded;
  throw new CodecError(`the codec '${codec.name}' did not return a Uint8Array. Nothing was written`);
}

let latestMarks: Uint8Array | undefined;
let latestName = '';

/** Records with the same marks mostly share them: then the name need not be looked for again. */
function codecNameOf(marks: Uint8Array): string {
  if (marks === latestMarks) return latestName;
  const mark = findMark(marks, Mark.codec);
  latestName = mark === undefined ? 'bytes' : Buffer.from(mark).toString();
  latestMarks = marks;
  return latestName;
}

/** CODEC, or INVALID_VALUE, with the record's index, where it was written by another codec or cannot be decoded. */
export function decodeValue<T>(codec: Codec<T>, record: StoredRecord): T {
  const name = codecNameOf(record.marks);
  if (name !== codec.name) {
    throw new CodecError(
      `record ${record.index} was written by the codec '${name}', and this queue has '${codec.name}'. ` +
        'It stays where it is: open the queue with that codec, or delete the record',
      record.index,
    );
  }
  try {
    return codec.decode(record.payload);
  } catch (error) {
    if (error instanceof InvalidValueError)
      throw new InvalidValueError(error.issues, { index: record.index }, error.cause);
    // A schema that cannot be asked here: no other record is read either.
    if (error instanceof DurostoreError && error.code === 'UNSUPPORTED') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodecError(
      `record ${record.index} cannot be decoded by the codec '${name}': ${reason}. It stays where it is: delete it`,
      record.index,
      error,
    );
  }
}
