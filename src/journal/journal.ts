import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { PreparedSpace } from '../disk/prepared-space.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import type { Epochs } from '../epoch/epochs.js';
import { Fenced } from '../epoch/fenced.js';
import { CorruptError, DurostoreError } from '../errors.js';
import { FEATURE_JOBS, FEATURE_STREAMS, HEADER_BYTES, NEW_FEATURES } from '../frame/file-header.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  type Head,
  placeOf,
  writeBodyFields,
} from '../frame/frame.js';
import { FrameScanner } from '../frame/frame-scanner.js';
import { damagedFact, damagedState, surveyEnd } from './damage.js';
import { decideJournalEnd } from './end-table.js';
import { decodeFacts } from './fact-reader.js';
import { FactWriter } from './fact-writer.js';
import type { FactSink } from './facts.js';
import type { Fates } from './fates.js';
import { JournalFiles } from './journal-files.js';
import { bareFrame, writeSuccessor } from './successor.js';

/** When a journal reserves room, and when it is succeeded. Tests have successions often. */
export interface JournalLimits {
  /** ⚑ A full disk can be emptied: so many bytes are written ahead with zeros, in the journal and in its next successor. */
  readonly reserveBytes: number;
  /** The reserve is renewed when less than this is left of it; enough for a mark of succession and a few decisions. */
  readonly leastReserveBytes: number;
  /** On a full disk a successor is worth its trouble when the journal has grown by this. */
  readonly leastGainBytes: number;
  /** A journal is succeeded by a shorter one when it has outgrown this, and its own beginning several times. */
  readonly shortenFromBytes: number;
  readonly shortenFactor: number;
}

/** Most looks find the zeros of the reserve, or one decision: fewer zeros are copied by a smaller read. */
const FIRST_READ = 512;

const LIMITS: JournalLimits = {
  reserveBytes: 64 * 1024,
  leastReserveBytes: 16 * 1024,
  leastGainBytes: 4 * 1024,
  shortenFromBytes: 1024 * 1024,
  shortenFactor: 4,
};

/**
 * The journal of fates: facts appended in one order, folded into `Fates`. One decision is one frame, and it is committed
 * when that frame is wholly in the file.
 *
 * Journals are numbered and never renamed. The current one is reached by following marks from the lowest there is:
 * `continues` at the end of N names N + 1, which begins with the state folded so far. A successor that no mark names is
 * unfinished work of somebody who died, and is removed by the next one to shorten.
 */
export class Journal {
  /** Number of the last fact folded. */
  fact = 0;
  /** The highest fact known to be on the device. */
  safe = 0;
  /** The current journal's number. */
  number = 0;
  /** Byte position of its committed end. */
  end = HEADER_BYTES;
  /** Whether what stands behind the end is not, or not yet, a whole frame. */
  unfinished = false;
  /** Whether the last look was stopped by a fence: there may be more, which nobody may believe yet. */
  isFenced = false;
  readonly #files: JournalFiles;
  readonly #epochs: Epochs;
  readonly #fates: Fates;
  readonly #scanner: FrameScanner;
  readonly #limits: JournalLimits;
  readonly #prepared: PreparedSpace;
  #file: DiskFile | undefined;
  /** A succession that failed is not tried again before the journal has grown to this. */
  #retryFrom = 0;
  /** How long the current journal was when it began. */
  #beginning = HEADER_BYTES;
  #continuesIn = 0;
  /** Where a take-over ended the current journal. */
  #cutEnd = Number.POSITIVE_INFINITY;
  /** Whether the state that a successor begins with has not been read to its end. */
  #inState = false;
  /** What the current journal's header names. */
  #features = NEW_FEATURES;
  readonly #isAlone: boolean;
  /** Whether the end is that of a whole commit by an opener that is alone: then the file need not be looked at. */
  #isOwnEnd = false;
  /** Counts how often the facts were folded anew. */
  #openings = 0;
  readonly #facts = new FactWriter(HEAD_BYTES);

  constructor(
    disk: Disk,
    names: FileNames,
    storeId: Buffer,
    epochs: Epochs,
    fates: Fates,
    limits: JournalLimits = LIMITS,
    isAlone = false,
  ) {
    this.#isAlone = isAlone;
    this.#limits = limits;
    this.#prepared = new PreparedSpace(limits.reserveBytes);
    this.#files = new JournalFiles(disk, names, storeId, epochs);
    this.#epochs = epochs;
    this.#scanner = new FrameScanner(this.#files.salt, () => epochs.isFenced(), undefined, FIRST_READ);
    this.#fates = fates;
  }

  /** Whether the directory holds a journal. */
  exists(): boolean {
    return this.#files.list().length > 0;
  }

  /** Whether the facts of FEATURE_JOBS may be written here. A journal of a program of before has to be succeeded first. */
  get takesJobs(): boolean {
    return (this.#features & FEATURE_JOBS) !== 0;
  }

  /** The same of the facts of FEATURE_STREAMS. */
  get takesStreams(): boolean {
    return (this.#features & FEATURE_STREAMS) !== 0;
  }

  /** Whether a program of before began it, so that it has to be succeeded once there is room. */
  get isOlder(): boolean {
    return this.#features !== NEW_FEATURES;
  }

  /** Creates the first journal, on the device when it returns. Only by the first opener of a new store. */
  create(): void {
    this.#files.createFirst();
  }

  /**
   * Folds everything there is, from the lowest journal on. ⚑ What is safe is what that says: facts that were on the device may be some
   * that a take-over has cut, and others have their numbers now.
   */
  open(): void {
    this.safe = 0;
    this.#openings += 1;
    this.#enterLowest();
    this.catchUp();
  }

  /** Folds what was appended since, by whoever; true where there was something. Needs no lock. */
  catchUp(): boolean {
    if (this.#isOwnEnd) return false;
    const before = this.fact;
    for (;;) {
      this.#scan();
      if (this.#continuesIn === 0) return this.fact !== before;
      this.#follow();
    }
  }

  /**
   * Under the fate lock: catches up and makes the end fit to append to. An unfinished frame's writer must have died, so
   * it is cut away; but a bad frame with whole ones behind it is damage, and fates stay as they are until `repair`.
   */
  catchUpLocked(first = false): void {
    this.catchUp();
    if (this.isFenced) throw new Fenced();
    if (!this.unfinished && !first) return;
    if (this.#decideEnd(first) !== 'cut') return;
    const file = this.#current();
    file.truncate(this.end);
    syncNow(file);
    this.#prepared.forget();
    this.unfinished = false;
  }

  /** What is to be done about what stands behind the end. Throws CORRUPT. */
  #decideEnd(first: boolean): 'leave' | 'cut' {
    const file = this.#current();
    const found = surveyEnd(file, this.end, this.fact, this.#files.salt);
    const { ending, position } = found;
    const safe = Math.max(found.safe, this.safe);
    const decision = decideJournalEnd({ ending, inState: this.#inState, fact: this.fact, safe, first });
    if (decision === 'corrupt') throw damagedFact(file, this.end, position);
    return decision;
  }

  /** Under the fate lock, caught up: begins a decision. Its facts go into `facts`, then `decided` or `dropDecision`. */
  begin(): FactSink {
    this.#facts.takesJobs = this.takesJobs;
    this.#facts.takesStreams = this.takesStreams;
    this.#facts.begin();
    return this.#facts;
  }

  /** Begins another decision whose facts go into the same frame, and are folded with those before them. */
  goOn(): FactSink {
    this.#facts.goOn();
    return this.#facts;
  }

  /** Ends a decision: its facts become one frame, and are folded, so that the next decision builds on them. */
  decided(wallTime: number): void {
    const facts = this.#facts;
    if (facts.frameIsEmpty) {
      facts.dropFrame();
      return;
    }
    const { bytes, frameStart, length } = facts;
    writeBodyFields(bytes, frameStart, length - frameStart, FrameKind.facts, FLAG_ENDS_BATCH, 0, 0);
    const place = placeOf(this.#files.salt, this.end + frameStart);
    const time = Math.floor(wallTime);
    completeHead(bytes, frameStart, place, this.fact + 1, time, this.safe);
    this.#fates.at(time);
    decodeFacts(bytes, frameStart + HEAD_BYTES, length, this.#fates, this.#current().path);
    this.fact += 1;
  }

  /** Takes back what the last decision stated; then it is `decided`, with those before it in its frame. */
  dropDecision(): void {
    this.#facts.dropDecision();
  }

  /**
   * Writes what was decided. From the moment the frames are whole in the file the decisions are made. A write that fails
   * is undone, and the state is folded again from the file.
   */
  commit(): void {
    const { bytes, length } = this.#facts;
    if (length === 0) return;
    this.#facts.clear();
    const file = this.#current();
    // ⚑ What becomes of it is for the file to say, until it is known to be whole.
    this.#isOwnEnd = false;
    this.#reserve(length);
    try {
      this.#append(file, bytes, length);
    } catch (error) {
      this.open();
      throw error;
    }
    this.end += length;
    this.#isOwnEnd = this.#isAlone;
  }

  /** Under the fate lock, caught up: renews what is written ahead here and in the next successor, if there is room. */
  reserve(): void {
    this.#reserve(0);
    this.#files.prepareSuccessor(this.number + 1, this.#limits.reserveBytes);
  }

  /** Under the fate lock, caught up: whether so many bytes of facts find room later, whatever becomes of the disk; written ahead with zeros. */
  keepsRoomFor(bytes: number): boolean {
    const file = this.#current();
    const wanted = bytes + this.#limits.leastReserveBytes;
    let before = -1;
    for (;;) {
      this.#prepared.ensure(file, this.end, wanted, Number.POSITIVE_INFINITY);
      const size = file.size();
      if (size >= this.end + bytes) return true;
      if (this.#prepared.isRefused) return false;
      // ⚑ Another opener has cut the file since: what this one believes to have prepared is not there.
      if (size <= before) this.#prepared.forget();
      before = size;
    }
  }

  /** Resolves when every fact folded so far is on the device. Rejects with what the disk says. */
  async sync(): Promise<void> {
    const upTo = this.fact;
    if (upTo <= this.safe) return;
    const openings = this.#openings;
    // The successor of a journal was synced whole before its mark, so the current file is all there is to sync.
    await this.#current().sync();
    if (upTo > this.safe && openings === this.#openings) this.safe = upTo;
  }

  /** The same, waiting in the calling thread. */
  syncNow(): void {
    syncNow(this.#current());
    this.safe = this.fact;
  }

  /** Bytes written ahead with zeros, here and for the next successor. */
  get preparedBytes(): number {
    const ahead = Math.max(0, this.#current().size() - this.end);
    return ahead + this.#files.size(this.number + 1);
  }

  /** Whether it is worth while to write a successor: the journal has grown long, cannot grow on a full disk, or is of before. */
  get isLong(): boolean {
    if (this.end < this.#retryFrom) return false;
    if (this.isOlder) return true;
    if (this.#prepared.isRefused && this.end > this.#beginning + this.#limits.leastGainBytes) return true;
    return (
      this.end > this.#limits.shortenFromBytes && this.end > this.#beginning * this.#limits.shortenFactor
    );
  }

  /**
   * Under the fate and the shortening lock, caught up: writes the state into a successor and makes it current. The mark
   * in the old journal, synced, is the commit; a death before it leaves a file that the next one removes.
   */
  shorten(wallTime: number): void {
    this.#isOwnEnd = false;
    const old = this.#current();
    const next = this.number + 1;
    const time = Math.floor(wallTime);
    // Predecessors whose successors' makers died before they unlinked them: their marks lead to this one no more.
    this.#files.removeBelow(this.number);
    this.#retryFrom = this.end + this.#limits.leastGainBytes;
    this.#fates.forgetIdle();
    const file = this.#files.createSuccessor(next);
    try {
      const end = writeSuccessor(
        file,
        this.#files.header(next),
        this.#files.salt,
        this.number,
        this.#fates,
        this.fact,
        time,
      );
      syncNow(file);
      this.#files.syncNames();
      this.#append(
        old,
        bareFrame(FrameKind.continues, placeOf(this.#files.salt, this.end), next, time, this.safe),
        HEAD_BYTES,
      );
      syncNow(old);
      this.#file = file;
      this.#features = NEW_FEATURES;
      this.number = next;
      this.end = end;
      this.#beginning = end;
      this.#retryFrom = 0;
      this.safe = this.fact;
      this.#prepared.forget();
    } catch (error) {
      file.close();
      throw error;
    }
    old.close();
    this.#files.removeBelow(next);
    this.reserve();
  }

  /**
   * Under the lock, behind a fence: reads what there is and writes the state into a successor of the fence's epoch, on the
   * device. Nothing is written to the journal that it succeeds, and nothing leads to it until the take-over is published.
   * Returns the successor's number, and where this journal is cut.
   */
  prepareTakeover(epoch: number, wallTime: number): { number: number; end: number } {
    // What is torn is cut by the take-over.
    this.#decideEnd(true);
    const number = this.number + 1;
    const { fact } = this;
    const time = Math.floor(wallTime);
    this.#fates.forgetIdle();
    const file = this.#files.createSuccessor(number, epoch);
    try {
      const header = this.#files.header(number, epoch);
      writeSuccessor(file, header, this.#files.salt, this.number, this.#fates, fact, time);
      syncNow(file);
    } finally {
      file.close();
    }
    this.#files.syncNames();
    return { number, end: this.end };
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** The lowest number there is. */
  get lowest(): number {
    return this.#files.list()[0] ?? this.number;
  }

  #current(): DiskFile {
    if (this.#file === undefined) throw new DurostoreError('CLOSED', 'the store is closed: open it again');
    return this.#file;
  }

  /** Begins from nothing at the lowest journal. It may be succeeded and removed between the listing and the opening. */
  #enterLowest(): void {
    for (let attempt = 0; attempt < 100; attempt++) {
      const lowest = this.#files.list()[0];
      if (lowest === undefined) break;
      if (this.#enter(lowest)) {
        this.#fates.clear();
        this.fact = 0;
        return;
      }
    }
    throw new CorruptError('the journal of fates is missing', {
      file: this.#files.path(Math.max(1, this.#continuesIn)),
      position: 0,
      bytes: 0,
    });
  }

  /** False where the file is not there. */
  #enter(number: number): boolean {
    this.#isOwnEnd = false;
    const opened = this.#files.open(number);
    if (opened === undefined) return false;
    this.#file?.close();
    this.#file = opened.file;
    this.#features = opened.features;
    this.number = number;
    this.end = HEADER_BYTES;
    this.#beginning = HEADER_BYTES;
    this.#continuesIn = 0;
    this.#inState = number > 1;
    this.unfinished = false;
    return true;
  }

  /** Goes to the successor, which begins with a state that is folded already, or folds from the start if it is gone. */
  #follow(): void {
    const from = this.number;
    if (this.end < this.#cutEnd && this.#cutEnd < Number.POSITIVE_INFINITY) {
      // A power cut took the end of what a take-over counted; the successor begins with all of it.
      this.#fates.clear();
      this.fact = 0;
    } else this.#fates.forgetIdle();
    // Its maker may have died before syncing the mark, and what is written behind it must not outlive it.
    syncNow(this.#current());
    if (this.#enter(this.#continuesIn)) return;
    this.#enterLowest();
    if (this.number > from) return;
    throw new CorruptError('the journal of fates is continued in one that is missing', {
      file: this.#files.path(from + 1),
      position: 0,
      bytes: 0,
    });
  }

  /** ⚑ What a sleeper writes behind the cut of a take-over counts for nothing. */
  #scan(): void {
    const cut = this.#epochs.cutOfJournal(this.number);
    this.#cutEnd = cut ?? Number.POSITIVE_INFINITY;
    const { position, stop } = this.#scanner.scan(this.#current(), this.end, this.#visit);
    this.isFenced = stop === 'fenced';
    if (this.isFenced) return;
    if (cut !== undefined) this.#continuesIn = this.number + 1;
    if (this.#continuesIn !== 0) return;
    this.unfinished = stop !== 'end' || position !== this.end;
    if (this.#inState) throw damagedState(this.#current(), position);
  }

  readonly #visit = (head: Head, bytes: Buffer, at: number, position: number): boolean => {
    if (position >= this.#cutEnd) return false;
    const file = this.#current().path;
    switch (head.kind) {
      case FrameKind.facts:
        if (head.number !== this.fact + 1) return false;
        this.#fold(head, bytes, at, file);
        this.fact = head.number;
        break;
      case FrameKind.unfinished:
        break;
      case FrameKind.state:
        // Who followed the mark has folded all this; only who begins here needs it.
        if (head.number > this.fact) this.#fold(head, bytes, at, file);
        break;
      case FrameKind.complete:
        this.#inState = false;
        this.fact = head.number;
        if (head.number > this.safe) this.safe = head.number;
        this.#beginning = position + head.length;
        break;
      case FrameKind.continues:
        this.#continuesIn = head.number;
        this.end = position + head.length;
        return false;
      default:
        return false;
    }
    if (head.safe > this.safe) this.safe = head.safe;
    this.end = position + head.length;
    return true;
  };

  #fold(head: Head, bytes: Buffer, at: number, file: string): void {
    this.#fates.at(head.time);
    decodeFacts(bytes, at + HEAD_BYTES, at + head.length, this.#fates, file, this.#features);
  }

  /** Appends bytes at the end, or undoes it; where that fails too, whether they exist is not known. */
  #append(file: DiskFile, bytes: Buffer, length: number): void {
    try {
      writeFully(file, bytes, length, this.end);
    } catch (error) {
      try {
        this.#takeBack(file, length);
      } catch (second) {
        throw new DurostoreError(
          'STORE_FAILED',
          'a write failed and could not be taken back; what was being decided may have been: reopen to go on',
          second,
        );
      }
      throw error;
    }
  }

  #reserve(bytes: number): void {
    const wanted = bytes + this.#limits.leastReserveBytes;
    this.#prepared.ensure(this.#current(), this.end, wanted, Number.POSITIVE_INFINITY);
  }

  /** Zeros over what was begun, rather than a cut, keep what is reserved. */
  #takeBack(file: DiskFile, length: number): void {
    const begun = Math.min(length, file.size() - this.end);
    try {
      if (begun > 0) writeFully(file, Buffer.alloc(begun), begun, this.end);
    } catch {
      this.#prepared.forget();
      file.truncate(this.end);
    }
  }
}
