import { laterVersion } from '../disk/later-version.js';
import { CorruptError } from '../errors.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from '../frame/uint48.js';

/** When a schedule ticks, as it is kept. `zone` is the one that counts; `zoneGiven`: the caller named it. */
export type KeptWhen =
  | { readonly kind: 'cron'; readonly cron: string; readonly zone: string; readonly zoneGiven: boolean }
  | { readonly kind: 'every'; readonly everyMs: number };

/** A schedule as it is kept: everything that any process needs in order to enqueue its ticks. */
export interface Schedule {
  readonly name: string;
  /** When it was made, by the wall clock: no tick is before it, and those of `every` are counted from it. */
  readonly createdAt: number;
  readonly when: KeptWhen;
  readonly missed: 'skip' | 'last' | 'all';
  readonly priority: number;
  readonly front: boolean;
  readonly delayMs: number;
  readonly key: string | undefined;
  /** What was asked for; undefined: whoever enqueues the tick has its own default. */
  readonly durability: 'written' | 'synced' | undefined;
  /** As they stand in records. */
  readonly headers: Buffer | undefined;
  readonly codec: string;
  /** The names of the transforms that the value went through, as records note them; undefined where there are none. */
  readonly transforms?: string | undefined;
  /** The value, encoded. */
  readonly value: Buffer;
}

/** What can become of schedules and their ticks. */
export interface ScheduleSink {
  /** There is that schedule; the one of that name is no more. Ticks of one with the same `when` were its own. */
  scheduled(schedule: Schedule): void;
  /** The schedule is no more. */
  unscheduled(name: string): void;
  /** The schedule's tick of that time is the record `index`, or nothing yet. */
  ticking(name: string, time: number, index: number): void;
  /** What was ticking was enqueued. */
  ticked(name: string): void;
  /** What was ticking was not, and never will be at that index. */
  unticked(name: string): void;
}

const Code = { scheduled: 20, unscheduled: 21, ticking: 22, ticked: 23, unticked: 24 } as const;
const KIND_CRON = 1;
const KIND_EVERY = 2;
const MISSED = ['skip', 'last', 'all'] as const;
const DURABILITY = [undefined, 'written', 'synced'] as const;
const FLAG_FRONT = 1;
const FLAG_KEY = 2;
/** ⚑ Only in a journal that announces FEATURE_STREAMS. */
const FLAG_TRANSFORMED = 4;
const KNOWN_FLAGS = FLAG_FRONT | FLAG_KEY | FLAG_TRANSFORMED;

export const isScheduleFact = (code: number): boolean => code >= Code.scheduled && code <= Code.unticked;

/** Puts fields one behind the other. */
class Fields {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    this.#parts.push(Uint8Array.of(value));
    return this;
  }

  u48(value: number): this {
    const bytes = new Uint8Array(6);
    writeUint48(bytes, value, 0);
    this.#parts.push(bytes);
    return this;
  }

  /** A length in so many bytes, then the bytes. */
  bytes(value: Uint8Array | string, lengthBytes: 1 | 2 | 4): this {
    const content = typeof value === 'string' ? Buffer.from(value) : value;
    if (content.length >= 2 ** (8 * lengthBytes)) throw new RangeError('a field is too long for its length');
    const length = new Uint8Array(4);
    writeUint32(length, content.length, 0);
    this.#parts.push(length.subarray(0, lengthBytes), content);
    return this;
  }

  end(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

const begin = (code: number, name: string): Fields => new Fields().u8(code).bytes(name, 1);

function putWhen(fields: Fields, when: KeptWhen): Fields {
  if (when.kind === 'every') return fields.u8(KIND_EVERY).u48(when.everyMs);
  return fields
    .u8(KIND_CRON)
    .u8(when.zoneGiven ? 1 : 0)
    .bytes(when.zone, 1)
    .bytes(when.cron, 2);
}

export function encodeScheduled(schedule: Schedule): Buffer {
  const { name, createdAt, when, missed, priority, front, delayMs, key, durability, transforms } = schedule;
  const fields = putWhen(begin(Code.scheduled, name).u48(createdAt), when)
    .u8(MISSED.indexOf(missed))
    .u8(priority)
    .u8(
      (front ? FLAG_FRONT : 0) |
        (key === undefined ? 0 : FLAG_KEY) |
        (transforms === undefined ? 0 : FLAG_TRANSFORMED),
    )
    .u8(DURABILITY.indexOf(durability))
    .u48(delayMs)
    .bytes(key ?? '', 2)
    .bytes(schedule.headers ?? '', 2)
    .bytes(schedule.codec, 1)
    .bytes(schedule.value, 4);
  if (transforms !== undefined) fields.bytes(transforms, 2);
  return fields.end();
}

export const encodeUnscheduled = (name: string): Buffer => begin(Code.unscheduled, name).end();

export const encodeTicking = (name: string, time: number, index: number): Buffer =>
  begin(Code.ticking, name).u48(time).u48(index).end();

export const encodeTicked = (name: string): Buffer => begin(Code.ticked, name).end();

export const encodeUnticked = (name: string): Buffer => begin(Code.unticked, name).end();

/** Whether two schedules tick at the same times. */
export const isSameWhen = (a: KeptWhen, b: KeptWhen): boolean =>
  putWhen(new Fields(), a).end().equals(putWhen(new Fields(), b).end());

/**
 * Tells `sink` the fact about a schedule that stands at `at`, and returns where it ends. CORRUPT where that is beyond `to`, or
 * about what there cannot be; UNSUPPORTED_VERSION where it says something that only a later version does.
 */
export function decodeScheduleFact(
  bytes: Buffer,
  at: number,
  to: number,
  sink: ScheduleSink,
  file: string,
): number {
  const code = bytes[at] as number;
  let position = at + 1;
  const take = (count: number): number => {
    const start = position;
    if (count > to - start)
      throw new CorruptError('a fact does not end where its frame does', {
        file,
        position: at,
        bytes: to - at,
      });
    position += count;
    return start;
  };
  const odd = (): CorruptError =>
    new CorruptError('a fact is about a schedule that there cannot be', {
      file,
      position: at,
      bytes: to - at,
    });
  const u8 = (): number => bytes[take(1)] as number;
  const u48 = (): number => readUint48(bytes, take(6));
  const u16 = (): number => bytes.readUInt16LE(take(2));
  /** ⚑ A copy: the bytes are only lent. */
  const copy = (length: number): Buffer => {
    const start = take(length);
    return Buffer.from(bytes.subarray(start, start + length));
  };
  const known = <T>(values: readonly T[], number: number): T => {
    if (number >= values.length) throw laterVersion(file, 'has a schedule of another kind');
    return values[number] as T;
  };
  const when = (): KeptWhen => {
    const kind = known([undefined, 'cron', 'every'] as const, u8());
    if (kind === undefined) throw odd();
    if (kind === 'every') {
      const everyMs = u48();
      if (everyMs < 1) throw odd();
      return { kind, everyMs };
    }
    const zoneGiven = known([false, true] as const, u8());
    const zone = copy(u8()).toString();
    return { kind, cron: copy(u16()).toString(), zone, zoneGiven };
  };
  const name = copy(u8()).toString();
  if (name === '') throw odd();
  switch (code) {
    case Code.scheduled: {
      const createdAt = u48();
      const kept = when();
      const missed = known(MISSED, u8());
      const priority = u8();
      const flags = u8();
      if ((flags & ~KNOWN_FLAGS) !== 0) throw laterVersion(file, 'has a schedule of another kind');
      const durability = known(DURABILITY, u8());
      const delayMs = u48();
      const key = copy(u16()).toString();
      const headers = copy(u16());
      const codec = copy(u8()).toString();
      const value = copy(readUint32(bytes, take(4)));
      const transforms = (flags & FLAG_TRANSFORMED) === 0 ? {} : { transforms: copy(u16()).toString() };
      sink.scheduled({
        name,
        createdAt,
        when: kept,
        missed,
        priority,
        front: (flags & FLAG_FRONT) !== 0,
        delayMs,
        key: (flags & FLAG_KEY) === 0 ? undefined : key,
        durability,
        headers: headers.length === 0 ? undefined : headers,
        codec,
        value,
        ...transforms,
      });
      break;
    }
    case Code.unscheduled:
      sink.unscheduled(name);
      break;
    case Code.ticking: {
      const time = u48();
      const index = u48();
      if (index < 1) throw odd();
      sink.ticking(name, time, index);
      break;
    }
    case Code.ticked:
      sink.ticked(name);
      break;
    case Code.unticked:
      sink.unticked(name);
      break;
  }
  return position;
}
