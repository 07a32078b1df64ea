import type { DiskFile } from '../disk/disk.js';
import { laterVersion } from '../disk/later-version.js';
import { Fenced } from '../epoch/fenced.js';
import { CorruptError } from '../errors.js';
import { FEATURE_STREAMS, HEADER_BYTES } from '../frame/file-header.js';
import { FLAG_ENDS_BATCH, FLAG_MARKED, FrameKind, HEAD_BYTES, type Head } from '../frame/frame.js';
import { FrameScanner } from '../frame/frame-scanner.js';
import { type FoundFrame, lastEntry, nearestFrame, nextFrame, nextWholeFrame } from './entry-search.js';
import type { MarkFeed } from './mark-feed.js';
import { greatestTimeOfSeal, readSeal, SEAL_BYTES } from './seal.js';
import type { SegmentFiles } from './segment-files.js';
import { SegmentList } from './segment-list.js';

/** What stands behind the committed end, as the last catch-up found it. */
export type TailState =
  /** Nothing: the next frame goes here. */
  | 'open'
  /** A batch that is not, or not yet, whole. Only who holds the write lock may call it torn. */
  | 'unfinished'
  /** The segment is sealed and its successor is not there. Whoever holds the write lock creates it. */
  | 'sealed';

export interface TailPosition {
  readonly active: number;
  readonly end: number;
  readonly nextIndex: number;
  readonly time: number;
  readonly safe: number;
  readonly state: TailState;
  readonly hasDamage: boolean;
  readonly successor: number;
  readonly isMarked: boolean;
}

/** Is told of the facts that batches carry, in the order of the log, when the end is behind the batch. */
export interface CarriedFeed {
  /** `number` is the index behind the batch. The bytes are the feed's own. */
  carried(number: number, facts: Buffer, path: string): void;
  /** Frames were passed over: what they carry was not told. */
  passedOver(): void;
}

/** What says that bytes which cannot be read were written once. */
interface Attested {
  /** The next whole frame. */
  readonly behind: FoundFrame | undefined;
  /** The next segment, where no entry names a frame. */
  readonly later: number | undefined;
}

/**
 * How far the log has got, as far as this opener knows: the segments, the committed end of the last one, the next index.
 * The files are the truth; `catchUp` is the one door through which they are looked at again, and costs what is new.
 *
 * The end is found by reading frames, never by the file's size: files may be prepared ahead with zeros. It moves only to
 * the end of a batch, so that a batch is there whole or not at all.
 */
export class Tail {
  readonly segments = new SegmentList();
  /** First index of the segment that is being written. */
  active = 0;
  /** Byte position of its committed end. */
  end = HEADER_BYTES;
  nextIndex = 1;
  /** The greatest record time so far; times never go backwards in a store. */
  time = 0;
  /** The highest index known to be on the device, with everything before it. */
  safe = 0;
  state: TailState = 'open';
  /** Whether bytes of the active segment were passed over because they are damaged: nobody appends to it any more. */
  hasDamage = false;
  /** Where a sealed segment is continued. */
  successor = 0;
  /** Whether the active segment holds a marked record, or may hold one. */
  isMarked = false;
  /** Told of each marked record that is seen. See `tell`. */
  readonly feeds: MarkFeed[] = [];
  /** Told of what batches carry. Undefined as long as what is read may turn out not to count. */
  carriedFeed: CarriedFeed | undefined;
  /** Every record from here to the end was read, or written, here while all feeds were told. */
  seenFrom = 1;
  /** Counts how often records that were seen turned out not to count. */
  turns = 0;
  /** Indexes that were passed over because no segment holds them, since `open`: records lost to a power cut. */
  readonly gaps: { from: number; to: number }[] = [];
  readonly #files: SegmentFiles;
  readonly #scanner: FrameScanner;
  /** Whether the last look was stopped by a fence: there may be more, which nobody may believe yet. */
  isFenced = false;
  /** Where a take-over ended the active segment. */
  #cutEnd = Number.POSITIVE_INFINITY;
  /**
   * Whether the end is that of a whole append by an opener that is alone, and nothing came of the files since: then they need not
   * be looked at. Only the appender says so.
   */
  isOwnEnd = false;
  #pendingNext = 0;
  #pendingTime = 0;
  #pendingMarked = false;
  /** What batches carry that were read since, to be told when the look is over: who is told looks at the end. */
  #carried: { readonly number: number; readonly facts: Buffer; readonly path: string }[] = [];
  #path = '';
  #stops = false;

  constructor(files: SegmentFiles) {
    this.#files = files;
    this.#scanner = new FrameScanner(
      files.salt,
      () => files.epochs.isFenced(),
      undefined,
      undefined,
      (position) => files.believesAt(position),
    );
  }

  /** Finds the end from nothing but the directory; reads entries of the last segment, not its records. */
  open(): void {
    this.segments.reset(this.#files.list());
    this.safe = 0;
    const highest = this.segments.highest;
    if (highest === undefined) {
      this.#begin();
      return;
    }
    this.#enterAtLastEntry(highest);
    this.catchUp();
    if (this.safe > 0) return;
    // A segment that was just begun tells nothing of what is safe; the one before it does.
    const before = [...this.segments].at(-2);
    if (before === undefined) return;
    this.#enterAtLastEntry(before);
    this.catchUp();
    if (this.active !== highest) this.#enterAtLastEntry(highest);
    this.catchUp();
  }

  /** There is nothing: the first segment begins at the first index, or where a take-over says. */
  #begin(): void {
    this.isOwnEnd = false;
    this.active = 0;
    this.end = HEADER_BYTES;
    this.nextIndex = this.#files.epochs.latest?.next ?? 1;
    this.state = 'open';
    this.hasDamage = false;
    this.isMarked = false;
    this.seenFrom = this.nextIndex;
  }

  /** Turns to a record, or to the nearest before it that the entries lead to, to read on from there. */
  enterAt(index: number): void {
    const first = this.segments.holding(index) ?? this.segments.lowest;
    if (first === undefined) return;
    this.enter(first);
    const file = this.#files.data(first);
    if (this.#files.isSparse(first)) return;
    const found = file && nearestFrame(this.#files, first, file, index);
    if (found === undefined) return;
    this.#goTo(found);
  }

  /** Goes to a frame whose entry was found; what stands before it was not read. */
  #goTo({ index, position, isMarked }: FoundFrame): void {
    this.isOwnEnd = false;
    this.end = position;
    this.nextIndex = index;
    this.seenFrom = index;
    this.isMarked = isMarked;
    this.carriedFeed?.passedOver();
  }

  #enterAtLastEntry(first: number): void {
    this.enter(first);
    const file = this.#files.data(first);
    if (this.#files.isSparse(first)) return;
    const cut = this.#files.epochs.cutOfSegment(first);
    // Behind a cut there may be whole frames of a sleeper.
    const last =
      file &&
      (cut === undefined
        ? lastEntry(this.#files, first, file)
        : nearestFrame(this.#files, first, file, cut.next - 1));
    if (last === undefined) return;
    this.#goTo(last);
  }

  /** Turns to a segment's beginning. */
  enter(first: number): void {
    this.isOwnEnd = false;
    // At the end of the one before it nothing was passed over.
    if (first !== this.nextIndex || this.active === 0) {
      this.seenFrom = first;
      this.carriedFeed?.passedOver();
    }
    this.isMarked = false;
    this.segments.add(first);
    this.active = first;
    this.end = HEADER_BYTES;
    this.nextIndex = first;
    this.state = 'open';
    this.hasDamage = false;
  }

  /** Looks for what was appended since, by whoever; true where there was something. */
  catchUp(): boolean {
    if (this.isOwnEnd) return false;
    const before = this.nextIndex;
    const beforeSegment = this.active;
    try {
      this.#lookOn();
    } finally {
      if (this.#carried.length > 0) this.#tellCarried();
    }
    return this.nextIndex !== before || this.active !== beforeSegment;
  }

  #lookOn(): void {
    for (;;) {
      if (this.state === 'sealed') {
        if (!this.#followSeal()) break;
      }
      // ⚑ A whole file may have taken the place of an empty one; what is open of that would stay empty for ever.
      if (this.end === HEADER_BYTES && this.nextIndex === this.active) this.#files.openAnew(this.active);
      const file = this.#activeFile();
      if (file === undefined) break;
      if (this.#files.isSparse(this.active)) this.#readSeal(file);
      else this.#scan(file);
      if (this.state !== 'sealed') break;
    }
  }

  #tellCarried(): void {
    for (const { number, facts, path } of this.#carried.splice(0))
      this.carriedFeed?.carried(number, facts, path);
  }

  /** The same, stopping at whatever is bad. For who is about to decide what that is. Throws Fenced. */
  readOn(): boolean {
    this.#stops = true;
    try {
      const moved = this.catchUp();
      if (this.isFenced) throw new Fenced();
      return moved;
    } finally {
      this.#stops = false;
    }
  }

  /** From now on the feed is told, too; of what was seen before, nobody is to go by what was told. */
  tell(feed: MarkFeed): void {
    if (!this.feeds.includes(feed)) this.feeds.push(feed);
    this.seenFrom = this.nextIndex;
  }

  /** Where the log ends as far as is known, to be turned back to. */
  position(): TailPosition {
    const { active, end, nextIndex, time, safe, state, hasDamage, successor, isMarked } = this;
    return { active, end, nextIndex, time, safe, state, hasDamage, successor, isMarked };
  }

  /** Forgets what was seen or written since then. */
  turnBack(to: TailPosition): void {
    for (const first of [...this.segments]) if (first > to.active) this.segments.drop(first);
    Object.assign(this, to);
    this.isOwnEnd = false;
    this.seenFrom = Math.min(this.seenFrom, to.nextIndex);
    for (const feed of this.feeds) feed.forgetFrom(to.nextIndex);
    this.turns += 1;
  }

  /** Moves the end past what is damaged, to a whole frame behind it. Reading a record that was passed over is CORRUPT. */
  passOver(behind: FoundFrame): void {
    this.#goTo({ ...behind, isMarked: true });
    this.hasDamage = true;
  }

  /** The index behind the last whole frame that was read, perhaps of a batch that is not whole. */
  get readUpTo(): number {
    return this.#pendingNext;
  }

  /** Marks everything up to `index` as being on the device. */
  sawSafe(index: number): void {
    if (index > this.safe) this.safe = index;
  }

  /** A sealed segment's successor may have come; it may even be gone again, with its own successors there. */
  #followSeal(): boolean {
    let next: number | undefined = this.successor;
    if (this.#files.data(next) === undefined) {
      next = this.#files.list().find((first) => first > this.active);
      if (next === undefined) this.#goOnWhereTakenOver();
      if (next === undefined || this.#files.data(next) === undefined) return false;
    }
    if (next > this.nextIndex) this.gaps.push({ from: this.nextIndex, to: next });
    this.enter(next);
    return true;
  }

  /**
   * ⚑ A power cut may have taken the successor, and the empty one behind it was what the take-over found last: of an epoch that is over
   * nobody begins a segment, so the log goes on where that take-over says, and what is missing before it was lost.
   */
  #goOnWhereTakenOver(): void {
    const { latest } = this.#files.epochs;
    if (latest !== undefined && latest.next > this.successor) this.successor = latest.next;
  }

  /** Undefined where the segment has no header yet. One that was removed under a lagging opener has later ones. */
  #activeFile(): DiskFile | undefined {
    const file = this.#files.data(this.active);
    if (file !== undefined) return file;
    const firsts = this.#files.list();
    const highest = firsts[firsts.length - 1];
    if (highest === undefined || highest <= this.active) return undefined;
    for (const first of this.segments) if (!firsts.includes(first)) this.#files.forget(first);
    this.segments.reset(firsts);
    this.enter(highest);
    this.seenFrom = highest;
    return this.#files.data(highest);
  }

  /**
   * A sparse segment is whole: all there is to learn from it stands in its seal. What it does not hold is gone. Where the seal
   * is damaged, the next segment there is says where the log goes on.
   */
  #readSeal(file: DiskFile): void {
    const seal = readSeal(this.#files, file);
    const next = seal?.next ?? this.#files.list().find((first) => first > this.active);
    if (next === undefined) {
      throw new CorruptError('the seal of a sparse segment is damaged', {
        file: file.path,
        position: Math.max(0, file.size() - SEAL_BYTES),
        bytes: SEAL_BYTES,
      });
    }
    this.end = file.size();
    this.nextIndex = next;
    this.seenFrom = next;
    this.isMarked = seal?.marked ?? true;
    this.state = 'sealed';
    this.successor = next;
    if (seal === undefined) return;
    this.time = Math.max(this.time, seal.greatestTime);
    this.sawSafe(seal.safe);
  }

  /**
   * ⚑ A take-over ends a segment as a seal does: what a sleeper writes behind the cut counts for nothing. What is missing
   * before it was lost to a power cut.
   */
  #scan(file: DiskFile): void {
    const cut = this.#files.epochs.cutOfSegment(this.active);
    this.#cutEnd = cut?.end ?? Number.POSITIVE_INFINITY;
    this.#scanFrames(file);
    if (cut === undefined || this.state === 'sealed' || this.isFenced) return;
    if (this.end < cut.end && this.#stops) return;
    this.state = 'sealed';
    this.successor = cut.next;
  }

  #scanFrames(file: DiskFile): void {
    let readAgain: number | undefined;
    this.#path = file.path;
    for (;;) {
      this.#pendingNext = this.nextIndex;
      this.#pendingTime = this.time;
      this.#pendingMarked = this.isMarked;
      const { position, stop } = this.#scanner.scan(file, this.end, this.#visit);
      this.isFenced = stop === 'fenced';
      if (this.isFenced || this.state === 'sealed') return;
      if (this.end >= this.#cutEnd) {
        this.state = 'open';
        return;
      }
      const atEnd = stop === 'end' && position === this.end;
      this.state = atEnd ? 'open' : 'unfinished';
      if (atEnd || this.#stops) return;
      const attested = this.#attested(file, position);
      if (attested === undefined) return;
      // ⚑ It may have been read while it was written, and what attests it came since: now it is whole, or damaged.
      if (readAgain !== position) readAgain = position;
      else if (!this.#pass(attested)) return;
    }
  }

  /**
   * Damage, by the first row of recovery's table, where entries name a whole frame behind: they are written after their
   * frames. Where there is a later segment, too: who began it had read this one to its end.
   */
  #attested(file: DiskFile, position: number): Attested | undefined {
    const named = nextWholeFrame(this.#files, this.active, file, this.#pendingNext, position);
    const later = named === undefined ? this.#laterSegment() : undefined;
    if (named === undefined && later === undefined) return undefined;
    const behind = named ?? nextFrame(this.#files, file, this.#pendingNext, this.end);
    if (behind !== undefined && behind.position >= this.#cutEnd) return undefined;
    return { behind, later };
  }

  /** False where nothing stands behind that could be read on from. */
  #pass({ behind, later }: Attested): boolean {
    if (behind !== undefined) this.passOver(behind);
    else if (later !== undefined) this.#sawSeal(later);
    return behind !== undefined;
  }

  #laterSegment(): number | undefined {
    if (this.#files.isEnded(this.active)) return undefined;
    return this.#files.list().find((first) => first > this.active);
  }

  #sawSeal(successor: number): void {
    this.state = 'sealed';
    this.successor = successor;
  }

  #sawMarked({ number, time, marksBytes }: Head, bytes: Buffer, at: number): void {
    this.#pendingMarked = true;
    const from = at + HEAD_BYTES;
    for (const feed of this.feeds) feed.saw(number, time, bytes.subarray(from, from + marksBytes));
  }

  #sawCarried({ number, length, marksBytes, headersBytes }: Head, bytes: Buffer, at: number): void {
    if (this.carriedFeed === undefined) return;
    const facts = Buffer.from(bytes.subarray(at + HEAD_BYTES + marksBytes + headersBytes, at + length));
    this.#carried.push({ number, facts, path: this.#path });
  }

  readonly #visit = (head: Head, bytes: Buffer, at: number, position: number): boolean => {
    if (position >= this.#cutEnd) return false;
    if (head.kind === FrameKind.record) {
      if (head.number !== this.#pendingNext) return false;
      this.#pendingNext += 1;
      if (head.time > this.#pendingTime) this.#pendingTime = head.time;
      if ((head.flags & FLAG_MARKED) !== 0) this.#sawMarked(head, bytes, at);
    } else if (head.kind === FrameKind.seal) {
      if (head.number < this.#pendingNext) return false;
      this.#pendingTime = Math.max(this.#pendingTime, greatestTimeOfSeal(bytes, at));
    } else if (head.kind === FrameKind.carried) {
      // One of a later version, as any kind that is not known: nothing announces it.
      if (!this.#files.announces(this.active, FEATURE_STREAMS))
        throw laterVersion(
          this.#path,
          `has a frame of kind ${head.kind} at byte ${position}, which it does not announce`,
        );
      if (head.number !== this.#pendingNext) return false;
      this.#sawCarried(head, bytes, at);
    } else if (head.kind !== FrameKind.mark) {
      return false;
    }
    if ((head.flags & FLAG_ENDS_BATCH) === 0) return true;
    this.end = position + head.length;
    this.nextIndex = this.#pendingNext;
    this.time = this.#pendingTime;
    this.isMarked = this.#pendingMarked;
    this.sawSafe(head.safe);
    if (head.kind !== FrameKind.seal) return true;
    this.#sawSeal(head.number);
    return false;
  };
}
