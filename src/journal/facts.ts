import { laterVersion } from '../disk/later-version.js';
import { CorruptError, DurostoreError } from '../errors.js';
import { FEATURE_JOBS, FEATURE_STREAMS, NEW_FEATURES } from '../frame/file-header.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from '../frame/uint48.js';
import {
  type ConsumerSink,
  decodeConsumerFact,
  encodeConsumed,
  encodeConsumer,
  encodeConsumerRemoved,
  isConsumerFact,
} from './consumer-facts.js';
import {
  decodeScheduleFact,
  encodeScheduled,
  encodeTicked,
  encodeTicking,
  encodeUnscheduled,
  encodeUnticked,
  isScheduleFact,
  type Schedule,
  type ScheduleSink,
} from './schedule-facts.js';

/**
 * What can become of records. A fact is a statement about the past that stays true; the state of a store's fates is the
 * fold of all its facts, in order. Everybody who takes facts in is a `FactSink`: the state folds them, `FactWriter`
 * encodes them, and a state writes itself into any sink.
 */
export interface FactSink extends ScheduleSink, ConsumerSink {
  /**
   * The records `[from, to)` are gone: dequeued, acknowledged or deleted. A sealed segment all of whose records are gone
   * by facts on the device may be unlinked; whatever is found of it later is a leftover.
   */
  gone(from: number, to: number): void;
  /** The indexes `[from, to)` were lost to a power cut, or skipped because a fact outlived its record. */
  lost(from: number, to: number): void;
  /**
   * The holder of the slot is a new incarnation, on that boot; what the previous one had claimed is free. Slot 0 is none: with
   * lock files nothing tells that a holder died, and an incarnation's claims last as long as their leases.
   */
  slotTaken(slot: number, incarnation: number, boot: string): void;
  /** The incarnation is no more: what it had claimed is free. */
  freed(incarnation: number): void;
  /** The incarnation has the records `[from, to)` under that lease, for the attempt-th time. */
  claimed(from: number, to: number, incarnation: number, attempt: number, lease: Lease): void;
  /** The claim has that lease now. */
  extended(index: number, lease: Lease): void;
  /** The claim was given back. */
  released(index: number): void;
  /** A waiting record was claimed so often before. Only in a journal's beginning, where claims are not repeated. */
  attempted(index: number, attempts: number): void;
  /** The record was given up, for good unless it is requeued. */
  died(index: number, death: Death): void;
  /**
   * The claim was given back because its attempt had failed, at `failedAt`, and the record comes again at `due`; 0: at once.
   * Both are wall times.
   */
  putOff(index: number, due: number, failedAt: number): void;
  /** A dead record waits again at its place, as if it had never been claimed. */
  requeued(index: number): void;
  /** Who has the claim says how far the work has got. */
  progress(index: number, value: Uint8Array): void;
  /**
   * What `attempted` says, and since when attempts have failed, and when the record is due if it was put off (0: neither is
   * known). Of a record that is claimed it says the first alone. Only in a journal's beginning.
   */
  attemptedSince(index: number, attempts: number, firstFailedAt: number, due: number): void;
  /**
   * Whatever is said to be gone by batches that end at or before the index `upTo` is among the facts. `isOpen`: there may be batches
   * that end behind it and say so themselves; else there are none, until this is said again.
   */
  carried(upTo: number, isOpen: boolean): void;
}

/** Why and when a record was given up. Times are wall times, in milliseconds. */
export interface Death {
  /** How often it was claimed. */
  readonly attempts: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  /** At most `MOST_REASON_BYTES` of UTF-8. */
  readonly reason: string;
}

/**
 * How long a claim lasts: until a time on the monotonic clock of its holder's boot. Under another boot's clock that time
 * means nothing; whoever sees the claim there gives it its whole length from then on.
 */
export interface Lease {
  readonly until: number;
  readonly lengthMs: number;
}

const Code = {
  gone: 1,
  lost: 2,
  slotTaken: 3,
  freed: 4,
  claimed: 5,
  extended: 6,
  released: 7,
  attempted: 8,
  /** Gone as well: so many indexes further on than the last that are gone in this frame, and so many of them. */
  goneFurther: 9,
  // ⚑ Only in a journal whose header names FEATURE_JOBS, so that a program of before never meets them.
  died: 10,
  putOff: 11,
  requeued: 12,
  progress: 13,
  attemptedSince: 14,
  // ⚑ Only in one whose header names FEATURE_STREAMS.
  carried: 25,
} as const;

const FIRST_OF_JOBS = 10;

/** The feature that the header of a journal announces in which a fact of that code may stand. */
function featureOf(code: number): number {
  if (code < FIRST_OF_JOBS) return 0;
  return code <= 14 || (code >= 20 && code <= 24) ? FEATURE_JOBS : FEATURE_STREAMS;
}

/** What each fact takes behind its code at least; nothing is said of those that begin with a varint. */
const BODY_BYTES: Readonly<Record<number, number>> = {
  [Code.gone]: 12,
  [Code.lost]: 12,
  [Code.slotTaken]: 24,
  [Code.freed]: 6,
  [Code.claimed]: 34,
  [Code.extended]: 18,
  [Code.released]: 6,
  [Code.attempted]: 10,
  [Code.died]: 23,
  [Code.putOff]: 18,
  [Code.requeued]: 6,
  [Code.progress]: 7,
  [Code.attemptedSince]: 22,
  [Code.carried]: 7,
};

/** A reason is cut to so many bytes. */
export const MOST_REASON_BYTES = 1000;
/** What a handler says of its progress has so many bytes at most. */
export const MOST_PROGRESS_BYTES = 64 * 1024;
/** A boot's name on disk: 16 bytes, in hexadecimal. */
export const BOOT_BYTES = 16;
const LARGEST_FACT = 40;
const INITIAL_BYTES = 1024;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_BYTES = 1024 * 1024;
/**
 * Records that are gone or lost are so many in one fact at most, unless they are all from the first one on: the fold takes
 * room for the others.
 */
const MOST_INDEXES = 2 ** 32;
/** A claim is of so many records at most; those in its range that are gone do not count. */
export const MOST_CLAIMED = 2 ** 24;

/** Thrown by a sink that is told of more. */
export class TooManyClaimed extends Error {
  override readonly name = 'TooManyClaimed';
}

const LONGEST_VARINT = 4;
/** Steps between ranges that are written as such; larger ones are written whole. */
const LARGEST_STEP = 2 ** 28;

/** Encodes facts one behind the other; all that one decision consists of goes into one frame. */
export class FactWriter implements FactSink {
  bytes: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  length = 0;
  /** Where the frame that is being written begins. */
  frameStart = 0;
  /** Whether the journal that this is for may have the facts of FEATURE_JOBS. */
  takesJobs = true;
  /** The same of those of FEATURE_STREAMS. */
  takesStreams = true;
  readonly #headBytes: number;
  /** Where the last range of records that are gone ends in this frame; 0 where there is none. */
  #goneTo = 0;
  /** Where it stood when the last decision began. */
  #before = { length: 0, goneTo: 0 };

  constructor(headBytes: number) {
    this.#headBytes = headBytes;
  }

  /** Begins a frame behind those there are, leaving room for its head. */
  begin(): void {
    this.frameStart = this.length;
    this.#goneTo = 0;
    this.#reserve(this.#headBytes);
    this.length += this.#headBytes;
    this.goOn();
  }

  /** Begins another decision in the same frame. */
  goOn(): void {
    this.#before = { length: this.length, goneTo: this.#goneTo };
  }

  /** Takes back what was stated since. */
  dropDecision(): void {
    this.length = this.#before.length;
    this.#goneTo = this.#before.goneTo;
  }

  /** Whether the frame has no facts. */
  get frameIsEmpty(): boolean {
    return this.length === this.frameStart + this.#headBytes;
  }

  /** Takes the frame back. */
  dropFrame(): void {
    this.length = this.frameStart;
  }

  clear(): void {
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafe(INITIAL_BYTES);
    this.length = 0;
    this.frameStart = 0;
  }

  /** Ranges that follow each other in a frame cost three bytes each where they are near. */
  gone(from: number, to: number): void {
    const gap = from - this.#goneTo;
    if (this.#goneTo > 0 && gap >= 0 && gap < LARGEST_STEP && to - from < LARGEST_STEP) {
      this.#code(Code.goneFurther);
      this.#varint(gap);
      this.#varint(to - from);
    } else {
      this.#ranges(Code.gone, from, to);
    }
    this.#goneTo = to;
  }

  lost(from: number, to: number): void {
    this.#ranges(Code.lost, from, to);
  }

  slotTaken(slot: number, incarnation: number, boot: string): void {
    this.#code(Code.slotTaken);
    this.#uint16(slot);
    this.#uint48(incarnation);
    this.length += this.bytes.write(boot, this.length, BOOT_BYTES, 'hex');
  }

  freed(incarnation: number): void {
    this.#code(Code.freed);
    this.#uint48(incarnation);
  }

  claimed(from: number, to: number, incarnation: number, attempt: number, lease: Lease): void {
    this.#range(Code.claimed, from, to);
    this.#uint48(incarnation);
    this.#uint32(attempt);
    this.#lease(lease);
  }

  extended(index: number, lease: Lease): void {
    this.#code(Code.extended);
    this.#uint48(index);
    this.#lease(lease);
  }

  released(index: number): void {
    this.#code(Code.released);
    this.#uint48(index);
  }

  attempted(index: number, attempts: number): void {
    this.#code(Code.attempted);
    this.#uint48(index);
    this.#uint32(attempts);
  }

  died(index: number, { attempts, firstFailedAt, lastFailedAt, reason }: Death): void {
    this.#jobsCode(Code.died);
    this.#uint48(index);
    this.#uint32(attempts);
    this.#uint48(firstFailedAt);
    this.#uint48(lastFailedAt);
    this.#bytes(cutReason(reason));
  }

  putOff(index: number, due: number, failedAt: number): void {
    this.#jobsCode(Code.putOff);
    this.#uint48(index);
    this.#uint48(due);
    this.#uint48(failedAt);
  }

  requeued(index: number): void {
    this.#jobsCode(Code.requeued);
    this.#uint48(index);
  }

  progress(index: number, value: Uint8Array): void {
    this.#jobsCode(Code.progress);
    this.#uint48(index);
    this.#bytes(value);
  }

  attemptedSince(index: number, attempts: number, firstFailedAt: number, due: number): void {
    this.#jobsCode(Code.attemptedSince);
    this.#uint48(index);
    this.#uint32(attempts);
    this.#uint48(firstFailedAt);
    this.#uint48(due);
  }

  carried(upTo: number, isOpen: boolean): void {
    assertTakes(this.takesStreams);
    this.#code(Code.carried);
    this.#uint48(upTo);
    this.bytes[this.length] = isOpen ? 1 : 0;
    this.length += 1;
  }

  scheduled(schedule: Schedule): void {
    assertTakes(schedule.transforms === undefined || this.takesStreams);
    this.#whole(encodeScheduled(schedule));
  }

  unscheduled(name: string): void {
    this.#whole(encodeUnscheduled(name));
  }

  ticking(name: string, time: number, index: number): void {
    this.#whole(encodeTicking(name, time, index));
  }

  ticked(name: string): void {
    this.#whole(encodeTicked(name));
  }

  unticked(name: string): void {
    this.#whole(encodeUnticked(name));
  }

  consumer(name: string, since: number, position: number): void {
    this.#whole(encodeConsumer(name, since, position), this.takesStreams);
  }

  consumed(name: string, index: number): void {
    this.#whole(encodeConsumed(name, index), this.takesStreams);
  }

  consumerRemoved(name: string): void {
    this.#whole(encodeConsumerRemoved(name), this.takesStreams);
  }

  /** A fact that is encoded already. */
  #whole(fact: Buffer, takes = this.takesJobs): void {
    assertTakes(takes);
    this.#reserve(fact.length);
    this.length += fact.copy(this.bytes, this.length);
  }

  #lease({ until, lengthMs }: Lease): void {
    this.#uint48(until);
    this.#uint48(lengthMs);
  }

  #ranges(code: number, from: number, to: number): void {
    let rest = from;
    for (; rest > 1 && to - rest > MOST_INDEXES; rest += MOST_INDEXES)
      this.#range(code, rest, rest + MOST_INDEXES);
    this.#range(code, rest, to);
  }

  #range(code: number, from: number, to: number): void {
    this.#code(code);
    this.#uint48(from);
    this.#uint48(to);
  }

  #code(code: number): void {
    this.#reserve(LARGEST_FACT);
    this.bytes[this.length] = code;
    this.length += 1;
  }

  /** DISK_FULL where the journal was begun by a program of before: had there been room, it would have a successor. */
  #jobsCode(code: number): void {
    assertTakes(this.takesJobs);
    this.#code(code);
  }

  #bytes(bytes: Uint8Array): void {
    this.#reserve(LONGEST_VARINT + bytes.length);
    this.#varint(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + bytes));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** Seven bits a byte, the lowest first; the last byte has its highest bit clear. */
  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length] = (rest & 0x7f) | 0x80;
      this.length += 1;
      rest >>>= 7;
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  #uint32(value: number): void {
    writeUint32(this.bytes, value, this.length);
    this.length += 4;
  }

  #uint16(value: number): void {
    this.bytes.writeUInt16LE(value, this.length);
    this.length += 2;
  }

  #uint48(value: number): void {
    writeUint48(this.bytes, value, this.length);
    this.length += 6;
  }
}

function assertTakes(takes: boolean): void {
  if (takes) return;
  throw new DurostoreError(
    'DISK_FULL',
    'the journal of fates was begun by an earlier version, and there is no room for the successor that this needs. ' +
      'Delete files on that disk, or records',
  );
}

/** A reason as bytes, cut between two characters where it is too long. */
function cutReason(reason: string): Buffer {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MOST_REASON_BYTES) return bytes;
  let end = MOST_REASON_BYTES;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

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
