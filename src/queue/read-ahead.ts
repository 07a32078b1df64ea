import { CodecError, CorruptError, InvalidValueError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import { LARGE, type StoredRecord } from '../segment/stored-record.js';
import type { Engine } from '../store/engine.js';
import { decodeHeaders } from '../store/headers.js';
import type { Undertaker } from './burial.js';
import { type Codec, decodeValue, isBuiltIn } from './codec.js';
import type { Line } from './line.js';

/** Why a message cannot be given out. */
export type Unreadable = CodecError | CorruptError | InvalidValueError;

/** A message that was read and decoded. */
export interface Readable<T> {
  readonly record: StoredRecord;
  readonly value: T;
  readonly error: undefined;
}

/** A message that may be given out, or why it cannot be. */
export type Candidate<T> = Readable<T> | { readonly error: Unreadable };

/** What was read ahead. */
export interface Ahead<T> {
  readonly candidates: Map<number, Candidate<T>>;
  /** Whether nothing is there, as far as is known. */
  readonly isNothing: boolean;
  /** Whether there may be more, which was not read for there was enough of it. */
  readonly isCut: boolean;
  /** Whether somebody asks again because of it: then all behind do, in their order. */
  isStale: boolean;
  /** So many bytes may still be read and decoded under the lock by all who ask together. */
  leftUnderLock: number;
  /** A large message that stands first, and is being read. */
  readonly large: { readonly index: number; readonly record: Promise<StoredRecord | undefined> } | undefined;
}

/** A step takes at most so many messages, and no more once they have so many bytes: then others have their turns of the event loop. */
const STEP_MESSAGES = 1000;
const STEP_BYTES = 1024 * 1024;
/** So many bytes of their file are read and decoded under the lock, for all who ask together: some JSON takes 10 µs a KiB. */
const MOST_UNDER_LOCK = 64 * 1024;

const frameBytes = ({ marks, headers, payload }: StoredRecord): number =>
  HEAD_BYTES + marks.length + headers.length + payload.length;

/** Whether it may be read under the lock. */
export const isSmall = (record: StoredRecord): boolean => frameBytes(record) <= MOST_UNDER_LOCK;

const isUnreadable = (error: unknown): error is Unreadable =>
  error instanceof CodecError || error instanceof CorruptError || error instanceof InvalidValueError;

/** Reads and decodes the messages in line, mostly before the lock is asked for. */
export class ReadAhead<T> {
  readonly #engine: Engine;
  readonly #undertaker: Undertaker;
  readonly #line: Line;
  readonly #codec: Codec<T>;
  /**
   * Whether a small message may be read under the lock: its codec is none of the user's, whose code would hold others up, and there
   * are no transforms, which may make much of little. One that is read there need not be confirmed, and is never read in vain for others were faster.
   */
  readonly readsUnderLock: boolean;

  constructor(engine: Engine, undertaker: Undertaker, line: Line, codec: Codec<T>) {
    this.#engine = engine;
    this.#undertaker = undertaker;
    this.#line = line;
    this.#codec = codec;
    this.readsUnderLock = isBuiltIn(codec) && engine.options.transforms === undefined;
  }

  /** The next messages in line as far as they are known, decoded; those that were `read` are not read again. */
  read(wanted: number, below: number, all: boolean, read?: ReadonlyMap<number, Candidate<T>>): Ahead<T> {
    const end = this.#look(below);
    const candidates = new Map<number, Candidate<T>>();
    let bytes = 0;
    for (const index of this.#line.inOrder(end, all)) {
      if (candidates.size >= wanted) break;
      if (this.#undertaker.isSpent(index)) continue;
      const candidate = read?.get(index) ?? this.#read(index);
      if (candidate === undefined) continue;
      if (candidate === 'large') {
        const first = candidates.size === 0 ? this.#engine.slowly(LARGE) : undefined;
        return ahead({ candidates, isCut: true, large: first && { index, record: first } });
      }
      candidates.set(index, candidate);
      if (candidate.error === undefined) bytes += candidate.record.payload.length;
      if (candidates.size < wanted && (bytes >= STEP_BYTES || candidates.size >= STEP_MESSAGES))
        return ahead({ candidates, isCut: true });
    }
    return ahead({ candidates, isNothing: candidates.size === 0 });
  }

  /** Reads nothing: whether there is anything to be read under the lock, as far as is known. */
  glance(below: number, all: boolean): Ahead<T> {
    const end = this.#look(below);
    for (const _index of this.#line.inOrder(end, all)) return ahead({ candidates: new Map() });
    return ahead({ candidates: new Map(), isNothing: true });
  }

  /** The large message that stands first, when it has been read. */
  async large({ index, record }: NonNullable<Ahead<T>['large']>): Promise<Ahead<T>> {
    const candidate = await this.#candidate(record);
    return ahead({ candidates: new Map(candidate === undefined ? [] : [[index, candidate]]), isCut: true });
  }

  /**
   * Under the lock: the message, if it is small, whole, and its entry is there. All else is for who reads ahead: it takes long, and a
   * look for what became of it would fold facts into a decision that is not made.
   */
  readUnderLock(index: number, ahead: Ahead<T>): Candidate<T> | undefined {
    if (!this.readsUnderLock || ahead.leftUnderLock <= 0) return undefined;
    let record: StoredRecord | undefined;
    try {
      record = this.#engine.readAtOnce(index, ahead.leftUnderLock);
    } catch {
      return undefined;
    }
    if (record === undefined || record === LARGE) return undefined;
    ahead.leftUnderLock -= frameBytes(record);
    try {
      return this.#decode(record);
    } catch (error) {
      if (isUnreadable(error)) return { error };
      throw error;
    }
  }

  /** Takes in what is known and due; where what is known ends. */
  #look(below: number): number {
    const { tail, fates, clock } = this.#engine;
    fates.expireBy(clock);
    this.#line.look();
    return Math.min(tail.nextIndex, below);
  }

  /** An unreadable message is the trouble of who stands before it, not of those who get the ones before. */
  #read(index: number): Candidate<T> | 'large' | undefined {
    try {
      const record = this.#engine.readKnown(index, LARGE_BYTES);
      if (record === LARGE) return 'large';
      return record && this.#decode(record);
    } catch (error) {
      if (isUnreadable(error)) return { error };
      throw error;
    }
  }

  /** The same of one that is being read. */
  async #candidate(reading: Promise<StoredRecord | undefined>): Promise<Candidate<T> | undefined> {
    try {
      const record = await reading;
      return record && this.#decode(record);
    } catch (error) {
      if (isUnreadable(error)) return { error };
      throw error;
    }
  }

  #decode(stored: StoredRecord): Candidate<T> {
    const record = this.#engine.plain(stored);
    // Headers that are none are found before anything is claimed.
    decodeHeaders(record.headers, record.index);
    return { record, value: decodeValue(this.#codec, record), error: undefined };
  }
}

function ahead<T>({
  candidates,
  isNothing = false,
  isCut = false,
  large,
}: Partial<Ahead<T>> & Pick<Ahead<T>, 'candidates'>): Ahead<T> {
  return { candidates, isNothing, isCut, isStale: false, leftUnderLock: MOST_UNDER_LOCK, large };
}
