import { laterVersion } from '../disk/later-version.js';
import { CorruptError } from '../errors.js';
import { NEW_FEATURES } from '../frame/file-header.js';
import { readUint32, readUint48 } from '../frame/uint48.js';
import { decodeConsumerFact, isConsumerFact } from './consumer-facts.js';
import { BODY_BYTES, BOOT_BYTES, Code, featureOf, MOST_INDEXES } from './fact-format.js';
import {
  type FactSink,
  type Lease,
  MOST_PROGRESS_BYTES,
  MOST_REASON_BYTES,
  TooManyClaimed,
} from './facts.js';
import { decodeScheduleFact, isScheduleFact } from './schedule-facts.js';

const outside = (file: string, position: number, to: number): CorruptError =>
  new CorruptError('a fact does not end where its frame does', { file, position, bytes: to - position });

const odd = (file: string, position: number, to: number): CorruptError =>
  new CorruptError('a fact is about indexes that there cannot be', { file, position, bytes: to - position });

const readLease = (bytes: Buffer, at: number): Lease => ({
  until: readUint48(bytes, at),
  lengthMs: readUint48(bytes, at + 6),
});

/**
 * Tells `sink` the facts in `bytes[from, to)`. They passed their checksum, so an unknown one, or one that the file's features do
 * not announce, is a later version's: ⚑ it is never passed over, or the next succession would lose it. CORRUPT where one
 * does not end in them. Bytes that a sink is told are only lent.
 */
export function decodeFacts(
  bytes: Buffer,
  from: number,
  to: number,
  sink: FactSink,
  file: string,
  features: number = NEW_FEATURES,
): void {
  let at = from;
  let goneTo = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; at < to && shift < 28; shift += 7) {
      const byte = bytes[at] as number;
      at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw outside(file, from, to);
  };
  const check = (start: number, end: number, most: number): void => {
    if (start < 1 || end < start || (start > 1 && end - start > most)) throw odd(file, from, to);
  };
  const lengthPrefixed = (most: number): Buffer => {
    const length = varint();
    if (length > most || at + length > to) throw outside(file, from, to);
    at += length;
    return bytes.subarray(at - length, at);
  };
  const readIndex = (position: number): number => {
    const index = readUint48(bytes, position);
    if (index < 1) throw odd(file, from, to);
    return index;
  };
  while (at < to) {
    const code = bytes[at] as number;
    const body = at + 1;
    if ((featureOf(code) & ~features) !== 0)
      throw laterVersion(file, `has a fact of kind ${code}, which it does not announce`);
    if (body + (BODY_BYTES[code] ?? 0) > to) throw outside(file, from, to);
    switch (code) {
      case Code.gone:
        goneTo = readUint48(bytes, body + 6);
        check(readUint48(bytes, body), goneTo, MOST_INDEXES);
        sink.gone(readUint48(bytes, body), goneTo);
        at = body + 12;
        break;
      case Code.goneFurther: {
        at = body;
        const start = goneTo + varint();
        goneTo = start + varint();
        check(start, goneTo, MOST_INDEXES);
        sink.gone(start, goneTo);
        break;
      }
      case Code.lost:
        check(readUint48(bytes, body), readUint48(bytes, body + 6), MOST_INDEXES);
        sink.lost(readUint48(bytes, body), readUint48(bytes, body + 6));
        at = body + 12;
        break;
      case Code.slotTaken: {
        const boot = bytes.toString('hex', body + 8, body + 8 + BOOT_BYTES);
        sink.slotTaken(bytes.readUInt16LE(body), readUint48(bytes, body + 2), boot);
        at = body + 8 + BOOT_BYTES;
        break;
      }
      case Code.freed:
        sink.freed(readUint48(bytes, body));
        at = body + 6;
        break;
      case Code.claimed:
        check(readUint48(bytes, body), readUint48(bytes, body + 6), MOST_INDEXES);
        try {
          sink.claimed(
            readUint48(bytes, body),
            readUint48(bytes, body + 6),
            readUint48(bytes, body + 12),
            readUint32(bytes, body + 18),
            readLease(bytes, body + 22),
          );
        } catch (error) {
          throw error instanceof TooManyClaimed ? odd(file, from, to) : error;
        }
        at = body + 34;
        break;
      case Code.extended:
        sink.extended(readUint48(bytes, body), readLease(bytes, body + 6));
        at = body + 18;
        break;
      case Code.released:
        sink.released(readUint48(bytes, body));
        at = body + 6;
        break;
      case Code.attempted:
        sink.attempted(readUint48(bytes, body), readUint32(bytes, body + 6));
        at = body + 10;
        break;
      case Code.died: {
        const index = readIndex(body);
        at = body + 22;
        const reason = lengthPrefixed(MOST_REASON_BYTES).toString();
        sink.died(index, {
          attempts: readUint32(bytes, body + 6),
          firstFailedAt: readUint48(bytes, body + 10),
          lastFailedAt: readUint48(bytes, body + 16),
          reason,
        });
        break;
      }
      case Code.putOff:
        sink.putOff(readIndex(body), readUint48(bytes, body + 6), readUint48(bytes, body + 12));
        at = body + 18;
        break;
      case Code.requeued:
        sink.requeued(readIndex(body));
        at = body + 6;
        break;
      case Code.progress: {
        const index = readIndex(body);
        at = body + 6;
        sink.progress(index, lengthPrefixed(MOST_PROGRESS_BYTES));
        break;
      }
      case Code.attemptedSince:
        sink.attemptedSince(
          readIndex(body),
          readUint32(bytes, body + 6),
          readUint48(bytes, body + 10),
          readUint48(bytes, body + 16),
        );
        at = body + 22;
        break;
      case Code.carried: {
        const flag = bytes[body + 6] as number;
        if (flag > 1) throw laterVersion(file, `has a fact of kind ${code} with ${flag}`);
        sink.carried(readUint48(bytes, body), flag === 1);
        at = body + 7;
        break;
      }
      default:
        if (isScheduleFact(code)) at = decodeScheduleFact(bytes, at, to, sink, file);
        else if (isConsumerFact(code)) at = decodeConsumerFact(bytes, at, to, sink, file);
        else throw laterVersion(file, `has a fact of kind ${code}`);
    }
  }
}
