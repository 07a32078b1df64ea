import { CorruptError } from '../errors.js';
import { readUint48, writeUint48 } from '../frame/uint48.js';

/** What can become of named consumers. */
export interface ConsumerSink {
  /**
   * There is that consumer, made by the fact `since`, and all up to `position` counts as done, wherever it was before; 0: nothing is.
   */
  consumer(name: string, since: number, position: number): void;
  /** All up to the index is done, if it was not. */
  consumed(name: string, index: number): void;
  /** The consumer is no more. */
  consumerRemoved(name: string): void;
}

const Code = { consumer: 30, consumed: 31, removed: 32 } as const;
const NUMBER_BYTES = 6;

export const isConsumerFact = (code: number): boolean => code >= Code.consumer && code <= Code.removed;

/** A code, the name with its length in a byte before it, and numbers of six bytes. */
function encode(code: number, name: string, ...numbers: readonly number[]): Buffer {
  const nameBytes = Buffer.byteLength(name);
  if (nameBytes > 255) throw new RangeError('a name is too long for its length');
  const bytes = Buffer.allocUnsafe(2 + nameBytes + numbers.length * NUMBER_BYTES);
  bytes[0] = code;
  bytes[1] = nameBytes;
  bytes.write(name, 2);
  let at = 2 + nameBytes;
  for (const number of numbers) {
    writeUint48(bytes, number, at);
    at += NUMBER_BYTES;
  }
  return bytes;
}

export const encodeConsumer = (name: string, since: number, position: number): Buffer =>
  encode(Code.consumer, name, since, position);

export const encodeConsumed = (name: string, index: number): Buffer => encode(Code.consumed, name, index);

export const encodeConsumerRemoved = (name: string): Buffer => encode(Code.removed, name);

/** Tells `sink` the fact about a consumer that stands at `at`, and returns where it ends. CORRUPT where that is beyond `to`. */
export function decodeConsumerFact(
  bytes: Buffer,
  at: number,
  to: number,
  sink: ConsumerSink,
  file: string,
): number {
  const code = bytes[at] as number;
  const bad = (what: string): CorruptError => new CorruptError(what, { file, position: at, bytes: to - at });
  let position = at + 1;
  const take = (count: number): number => {
    const start = position;
    if (count > to - start) throw bad('a fact does not end where its frame does');
    position += count;
    return start;
  };
  const nameBytes = bytes[take(1)] as number;
  const nameAt = take(nameBytes);
  const name = bytes.toString('utf8', nameAt, position);
  const number = (): number => readUint48(bytes, take(NUMBER_BYTES));
  if (name === '') throw bad('a fact is about a consumer that there cannot be');
  switch (code) {
    case Code.consumer: {
      const since = number();
      const reached = number();
      if (since < 1) throw bad('a fact is about a consumer that there cannot be');
      sink.consumer(name, since, reached);
      break;
    }
    case Code.consumed:
      sink.consumed(name, number());
      break;
    default:
      sink.consumerRemoved(name);
  }
  return position;
}
