import { DurostoreError } from '../errors.js';
import { writeUint32, writeUint48 } from '../frame/uint48.js';
import { encodeConsumed, encodeConsumer, encodeConsumerRemoved } from './consumer-facts.js';
import { BOOT_BYTES, Code, MOST_INDEXES } from './fact-format.js';
import { type Death, type FactSink, type Lease, MOST_REASON_BYTES } from './facts.js';
import {
  encodeScheduled,
  encodeTicked,
  encodeTicking,
  encodeUnscheduled,
  encodeUnticked,
  type Schedule,
} from './schedule-facts.js';

const LARGEST_FACT = 40;
const INITIAL_BYTES = 1024;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_BYTES = 1024 * 1024;
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
