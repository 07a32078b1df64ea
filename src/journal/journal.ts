import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { PreparedSpace } from '../disk/prepared-space.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import { CorruptError, DurostoreError } from '../errors.js';
import { checkFileHeader, encodeFileHeader, HEADER_BYTES, HeaderKind } from '../frame/file-header.js';
import {
  bodyIsWhole,
  completeHead,
  emptyHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  type Head,
  readHead,
  writeBodyFields,
} from '../frame/frame.js';
import { FrameScanner, type ScanStop } from '../frame/frame-scanner.js';
import { decodeFacts, type FactSink, FactWriter } from './facts.js';
import type { Fates } from './fates.js';

/** A journal is succeeded by a shorter one when it has outgrown this, and its own beginning several times. */
const SHORTEN_FROM_BYTES = 1024 * 1024;
const SHORTEN_FACTOR = 4;
/** State is told in frames of about this size. */
const STATE_FRAME_BYTES = 64 * 1024;

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
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #storeId: Buffer;
  readonly #fates: Fates;
  readonly #scanner = new FrameScanner();
  readonly #prepared = new PreparedSpace();
  #file: DiskFile | undefined;
  /** How long the current journal was when it began. */
  #beginning = HEADER_BYTES;
  #continuesIn = 0;
  readonly #facts = new FactWriter(HEAD_BYTES);

  constructor(disk: Disk, names: FileNames, storeId: Buffer, fates: Fates) {
    this.#disk = disk;
    this.#names = names;
    this.#storeId = storeId;
    this.#fates = fates;
  }

  /** Whether the directory holds a journal. */
  exists(): boolean {
    return this.#list().length > 0;
  }

  /**
   * Creates the first journal, on the device when it returns: under a temporary name first, so that it is there whole or
   * not at all. Only by the first opener of a new store.
   */
  create(): void {
    const temporary = this.#names.temporary('fate');
    this.#disk.unlink(temporary);
    const file = this.#disk.create(temporary);
    if (file === undefined)
      throw Object.assign(new Error(`${temporary} cannot be created`), { code: 'EEXIST' });
    try {
      writeFully(file, encodeFileHeader(HeaderKind.fates, this.#storeId, 1), HEADER_BYTES, 0);
      syncNow(file);
    } finally {
      file.close();
    }
    this.#disk.link(temporary, this.#names.fateJournal(1));
    this.#disk.unlink(temporary);
    this.#disk.syncDirectoryNow(this.#names.directory);
  }

  /** Folds everything there is, from the lowest journal on. */
  open(): void {
    this.#enterLowest();
    this.catchUp();
  }

  /** Folds what was appended since, by whoever; true where there was something. Needs no lock. */
  catchUp(): boolean {
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
    if (!this.unfinished && !first) return;
    const file = this.#current();
    const later = this.#laterFrames(file);
    if (later !== undefined && (!first || later.safe > this.fact)) {
      throw new CorruptError('a fact is damaged', {
        file: file.path,
        position: this.end,
        bytes: later.position - this.end,
      });
    }
    if (!this.unfinished && later === undefined && !first) return;
    if (!this.unfinished && !this.#hasBytesBehindEnd(file)) return;
    file.truncate(this.end);
    syncNow(file);
    this.#prepared.forget();
    this.unfinished = false;
  }

  /** Under the fate lock, caught up: begins a decision. Its facts go into `facts`, then `decided` or `dropDecision`. */
  begin(): FactSink {
    this.#facts.begin();
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
    completeHead(bytes, frameStart, this.fact + 1, Math.floor(wallTime), this.safe);
    decodeFacts(bytes, frameStart + HEAD_BYTES, length, this.#fates, this.#names.fateJournal(this.number));
    this.fact += 1;
  }

  /** Takes back a decision that came to nothing. */
  dropDecision(): void {
    this.#facts.dropFrame();
  }

  /**
   * Writes what was decided. From the moment the frames are whole in the file the decisions are made. A write that fails
   * is undone, and the state is folded again from the file.
   */
  commit(prepare: boolean): void {
    const { bytes, length } = this.#facts;
    if (length === 0) return;
    this.#facts.clear();
    const file = this.#current();
    if (prepare) this.#prepared.ensure(file, this.end, length, Number.POSITIVE_INFINITY);
    try {
      writeFully(file, bytes, length, this.end);
    } catch (error) {
      this.#prepared.forget();
      this.#takeBack(file);
      this.open();
      throw error;
    }
    this.end += length;
  }

  /** Resolves when every fact folded so far is on the device. Rejects with what the disk says. */
  async sync(): Promise<void> {
    const upTo = this.fact;
    if (upTo <= this.safe) return;
    // The successor of a journal was synced whole before its mark, so the current file is all there is to sync.
    await this.#current().sync();
    if (upTo > this.safe) this.safe = upTo;
  }

  /** The same, waiting in the calling thread. */
  syncNow(): void {
    syncNow(this.#current());
    this.safe = this.fact;
  }

  /** Bytes of the current file, space prepared ahead included. */
  get size(): number {
    return this.#current().size();
  }

  /** Whether it is worth while to write a successor. */
  get isLong(): boolean {
    return this.end > SHORTEN_FROM_BYTES && this.end > this.#beginning * SHORTEN_FACTOR;
  }

  /**
   * Under the fate and the shortening lock, caught up: writes the state into a successor and makes it current. The mark
   * in the old journal, synced, is the commit; a death before it leaves a file that the next one removes.
   */
  shorten(wallTime: number): void {
    const old = this.#current();
    const next = this.number + 1;
    const path = this.#names.fateJournal(next);
    this.#disk.unlink(path);
    // Predecessors whose successors died before they unlinked them go first, for their marks lead to this one no more.
    for (const number of this.#list())
      if (number < this.number) this.#disk.unlink(this.#names.fateJournal(number));
    const file = this.#disk.create(path);
    if (file === undefined)
      throw new DurostoreError('STORE_FAILED', `${path} cannot be created: reopen to go on`);
    try {
      const time = Math.floor(wallTime);
      const end = this.#writeState(file, next, time);
      syncNow(file);
      this.#disk.syncDirectoryNow(this.#names.directory);
      const mark = bareFrame(FrameKind.continues, next, time, this.fact);
      try {
        writeFully(old, mark, mark.length, this.end);
      } catch (error) {
        this.#takeBack(old);
        throw error;
      }
      syncNow(old);
      this.#file = file;
      this.number = next;
      this.end = end;
      this.#beginning = end;
      this.safe = this.fact;
      this.#prepared.forget();
    } catch (error) {
      file.close();
      throw error;
    }
    old.close();
    this.#disk.unlink(this.#names.fateJournal(next - 1));
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #writeState(file: DiskFile, number: number, time: number): number {
    let end = 0;
    const put = (bytes: Buffer, length: number): void => {
      writeFully(file, bytes, length, end);
      end += length;
    };
    put(encodeFileHeader(HeaderKind.fates, this.#storeId, number), HEADER_BYTES);
    const unfinished = bareFrame(FrameKind.unfinished, this.number, time, 0);
    put(unfinished, unfinished.length);
    const writer = new StateWriter((bytes, length) => {
      writeBodyFields(bytes, 0, length, FrameKind.state, FLAG_ENDS_BATCH, 0, 0);
      completeHead(bytes, 0, this.fact, time, 0);
      put(bytes, length);
    });
    this.#fates.tell(writer);
    writer.flush();
    const complete = bareFrame(FrameKind.complete, this.fact, time, 0);
    put(complete, complete.length);
    return end;
  }

  #list(): number[] {
    const numbers: number[] = [];
    for (const name of this.#disk.list(this.#names.directory)) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind === 'fate') numbers.push(parsed.number);
    }
    return numbers.sort((a, b) => a - b);
  }

  #current(): DiskFile {
    if (this.#file === undefined) throw new DurostoreError('CLOSED', 'the store is closed: open it again');
    return this.#file;
  }

  /** Begins from nothing at the lowest journal. It may be succeeded and removed between the listing and the opening. */
  #enterLowest(): void {
    this.#fates.clear();
    this.fact = 0;
    for (let attempt = 0; attempt < 100; attempt++) {
      const lowest = this.#list()[0];
      if (lowest === undefined) break;
      if (this.#enter(lowest)) return;
    }
    throw new CorruptError('the journal of fates is missing', {
      file: this.#names.fateJournal(Math.max(1, this.#continuesIn)),
      position: 0,
      bytes: 0,
    });
  }

  /** False where the file is not there. */
  #enter(number: number): boolean {
    const path = this.#names.fateJournal(number);
    const file = this.#disk.open(path, 'write');
    if (file === undefined) return false;
    const bytes = Buffer.alloc(HEADER_BYTES);
    const length = file.read(bytes, 0, HEADER_BYTES, 0);
    let verdict: string;
    try {
      verdict = checkFileHeader(bytes, length, HeaderKind.fates, this.#storeId, number, path);
    } catch (error) {
      file.close();
      throw error;
    }
    if (verdict !== 'valid') {
      const size = file.size();
      file.close();
      throw new CorruptError('the header is damaged or belongs to another store', {
        file: path,
        position: 0,
        bytes: size,
      });
    }
    this.#file?.close();
    this.#file = file;
    this.number = number;
    this.end = HEADER_BYTES;
    this.#beginning = HEADER_BYTES;
    this.#continuesIn = 0;
    this.unfinished = false;
    return true;
  }

  /** Goes to the successor, which begins with a state that is folded already, or folds from the start if it is gone. */
  #follow(): void {
    const from = this.number;
    if (this.#enter(this.#continuesIn)) return;
    this.#enterLowest();
    if (this.number > from) return;
    throw new CorruptError('the journal of fates is continued in one that is missing', {
      file: this.#names.fateJournal(from + 1),
      position: 0,
      bytes: 0,
    });
  }

  #scan(): void {
    const { position, stop }: { position: number; stop: ScanStop } = this.#scanner.scan(
      this.#current(),
      this.end,
      this.#visit,
    );
    if (this.#continuesIn !== 0) return;
    this.unfinished = stop !== 'end' || position !== this.end;
  }

  readonly #visit = (head: Head, bytes: Buffer, at: number, position: number): boolean => {
    const file = this.#names.fateJournal(this.number);
    switch (head.kind) {
      case FrameKind.facts:
        if (head.number !== this.fact + 1) return false;
        decodeFacts(bytes, at + HEAD_BYTES, at + head.length, this.#fates, file);
        this.fact = head.number;
        break;
      case FrameKind.unfinished:
        break;
      case FrameKind.state:
        // Who followed the mark has folded all this; only who begins here needs it.
        if (head.number > this.fact) decodeFacts(bytes, at + HEAD_BYTES, at + head.length, this.#fates, file);
        break;
      case FrameKind.complete:
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

  /** A write that failed half-way is undone; where that fails too, whether the fact exists is not known. */
  #takeBack(file: DiskFile): void {
    try {
      file.truncate(this.end);
    } catch (error) {
      throw new DurostoreError(
        'STORE_FAILED',
        'a write failed and could not be taken back; what was being decided may have been: reopen to go on',
        error,
      );
    }
  }

  #hasBytesBehindEnd(file: DiskFile): boolean {
    const bytes = Buffer.allocUnsafe(64 * 1024);
    for (let from = this.end; ; ) {
      const length = file.read(bytes, 0, bytes.length, from);
      if (length === 0) return false;
      for (let at = 0; at < length; at++) if (bytes[at] !== 0) return true;
      from += length;
    }
  }

  /**
   * Whole later frames behind the end, wherever they stand: the sign of damage rather than of an unfinished write. Tells
   * where the first is, and the greatest fact that any of them calls safe.
   */
  #laterFrames(file: DiskFile): { position: number; safe: number } | undefined {
    const size = file.size() - this.end;
    if (size < HEAD_BYTES) return undefined;
    const bytes = Buffer.allocUnsafe(size);
    const read = file.read(bytes, 0, size, this.end);
    const head = emptyHead();
    let found: { position: number; safe: number } | undefined;
    for (let at = 1; at + HEAD_BYTES <= read; at++) {
      if (bytes[at + 4] !== FrameKind.facts && bytes[at + 4] !== FrameKind.continues) continue;
      if (!readHead(bytes, at, head) || at + head.length > read || !bodyIsWhole(bytes, at, head)) continue;
      if (head.kind === FrameKind.facts && head.number <= this.fact) continue;
      found ??= { position: this.end + at, safe: 0 };
      found.safe = Math.max(found.safe, head.safe);
      at += head.length - 1;
    }
    return found;
  }
}

function bareFrame(kind: number, number: number, time: number, safe: number): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES);
  writeBodyFields(frame, 0, HEAD_BYTES, kind, FLAG_ENDS_BATCH, 0, 0);
  completeHead(frame, 0, number, time, safe);
  return frame;
}

/** Cuts a state into frames: gives its bytes away whenever they have become a frame's worth. */
class StateWriter extends FactWriter {
  readonly #give: (bytes: Buffer, length: number) => void;

  constructor(give: (bytes: Buffer, length: number) => void) {
    super(HEAD_BYTES);
    this.#give = give;
    this.begin();
  }

  override gone(from: number, to: number): void {
    super.gone(from, to);
    this.#giveIfLong();
  }

  override claimed(index: number, incarnation: number, attempt: number, until: number): void {
    super.claimed(index, incarnation, attempt, until);
    this.#giveIfLong();
  }

  override attempted(index: number, attempts: number): void {
    super.attempted(index, attempts);
    this.#giveIfLong();
  }

  flush(): void {
    if (this.frameIsEmpty) return;
    this.#give(this.bytes, this.length);
    this.clear();
    this.begin();
  }

  #giveIfLong(): void {
    if (this.length >= STATE_FRAME_BYTES) this.flush();
  }
}
