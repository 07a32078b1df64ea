import type { DiskFile } from '../disk/disk.js';
import { laterVersion } from '../disk/later-version.js';
import {
  bodyIsWhole,
  emptyHead,
  FLAG_MARKED,
  FrameKind,
  HEAD_BYTES,
  type Head,
  isKnown,
  placeOf,
  readCheckedHead,
  readHead,
} from './frame.js';
import { largeFrameIsWhole } from './large-body.js';
import { endOfWholeFrames } from './whole-frames.js';

/** Why a scan went no further. */
export type ScanStop =
  /** Nothing was written there: the end of the file, or the zeros of prepared space. */
  | 'end'
  /** The file ends inside a frame. */
  | 'short'
  /** A checksum fails. */
  | 'bad'
  /** The visitor asked to stop. */
  | 'stopped'
  /** There are frames that may not be believed: somebody has put up a fence. */
  | 'fenced';

/**
 * Sees one whole, checked frame: its head, and the bytes that hold it from `at` on, of a large record without marks of order the
 * head alone. Both are only lent until it returns.
 * Returns false to stop behind this frame.
 */
export type FrameVisitor = (head: Head, bytes: Buffer, at: number, position: number) => boolean;

/** Most scans find nothing or one frame: the first read is small. */
const FIRST_READ = 4096;
const NEXT_READ = 256 * 1024;
/** A record of more is summed without being held. */
const LARGEST_WHOLE = 1024 * 1024;
/** A buffer that grew beyond this for one frame is not kept for the next scan. */
const KEPT_BYTES = 1024 * 1024;

/** Reads frames in order from a position on, into one buffer that is used again and again. */
export class FrameScanner {
  #buffer: Buffer;
  readonly #head = emptyHead();
  readonly #salt: number;
  readonly #isFenced: () => boolean;
  readonly #isKnown: (head: Head) => boolean;
  readonly #firstRead: number;
  readonly #believes: (position: number) => boolean;

  /**
   * ⚑ `isFenced` is asked after each read, before a frame in it is visited: what was there before a fence counts. `firstRead`:
   * bytes of the first read of each scan, at least a head's. `believes`: asked of a large frame at a position; see `largeFrameIsWhole`.
   */
  constructor(
    salt: number,
    isFenced: () => boolean,
    known = isKnown,
    firstRead = FIRST_READ,
    believes: (position: number) => boolean = () => false,
  ) {
    this.#salt = salt;
    this.#isFenced = isFenced;
    this.#isKnown = known;
    this.#firstRead = firstRead;
    this.#believes = believes;
    this.#buffer = Buffer.allocUnsafe(firstRead);
  }

  /**
   * Visits each whole frame from `position` on and tells where and why it stopped. Without the lock, 'short' and 'bad'
   * mean *not yet*: a foreign write may be seen half-way. ⚑ UNSUPPORTED_VERSION at a whole frame that this version does not
   * know: it is no unfinished one, to be cut away.
   */
  scan(file: DiskFile, position: number, visit: FrameVisitor): { position: number; stop: ScanStop } {
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(this.#firstRead);
    let start = position;
    let at = 0;
    let wanted = this.#firstRead;
    let filled = file.read(this.#buffer, 0, wanted, start);
    if (filled === 0) return { position, stop: 'end' };
    let believed = false;
    // ⚑ Of frames that were summed together none was damaged. Where one is, each is asked for its own sums.
    let wholeTo = 0;
    let isSummed = false;
    for (;;) {
      const left = filled - at;
      const head = this.#head;
      const isWhole = at < wholeTo;
      const hasHead =
        left >= HEAD_BYTES &&
        (isWhole
          ? readCheckedHead(this.#buffer, at, head)
          : readHead(this.#buffer, at, placeOf(this.#salt, start + at), head));
      if (left < HEAD_BYTES || (hasHead && head.length > left)) {
        const need = left < HEAD_BYTES ? HEAD_BYTES : head.length;
        // A length is believed as far as the file goes: nothing larger is made room for.
        const atEnd = filled < wanted || (need > NEXT_READ && start + at + need > file.size());
        if (atEnd) {
          if (left >= HEAD_BYTES) return { position: start + at, stop: 'short' };
          return { position: start + at, stop: this.#isZero(at, filled) ? 'end' : 'short' };
        }
        if (
          hasHead &&
          need > LARGEST_WHOLE &&
          head.kind === FrameKind.record &&
          !(head.flags & FLAG_MARKED)
        ) {
          // ⚑ It is not taken into memory as a whole: it may be larger than that.
          const end = this.#visitLarge(file, start + at, visit);
          if (typeof end !== 'number') return end;
          start = end;
          at = 0;
          wanted = NEXT_READ;
          if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafe(wanted);
          filled = file.read(this.#buffer, 0, wanted, start);
          believed = false;
          wholeTo = 0;
          isSummed = false;
          if (filled === 0) return { position: start, stop: 'end' };
          continue;
        }
        wanted = Math.max(need, NEXT_READ);
        if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafe(wanted);
        start += at;
        at = 0;
        filled = file.read(this.#buffer, 0, wanted, start);
        believed = false;
        wholeTo = 0;
        isSummed = false;
        continue;
      }
      if (!hasHead || !(isWhole || bodyIsWhole(this.#buffer, at, head))) {
        const isEnd = !hasHead && this.#isZero(at, at + HEAD_BYTES);
        return { position: start + at, stop: isEnd ? 'end' : 'bad' };
      }
      if (!believed && this.#isFenced()) return { position: start + at, stop: 'fenced' };
      believed = true;
      if (!this.#isKnown(head)) {
        const { kind, flags } = head;
        throw laterVersion(
          file.path,
          `has a frame of kind ${kind} with flags ${flags} at byte ${start + at}`,
        );
      }
      const length = head.length;
      const goOn = visit(head, this.#buffer, at, start + at);
      at += length;
      if (!goOn) return { position: start + at, stop: 'stopped' };
      // Behind one there are likely to be more.
      if (!isSummed && filled - at >= HEAD_BYTES) {
        isSummed = true;
        wholeTo = endOfWholeFrames(this.#buffer, at, filled, this.#salt, start + at);
      }
    }
  }

  /** Of the head that was read: where its frame ends, or how the scan does. */
  #visitLarge(
    file: DiskFile,
    position: number,
    visit: FrameVisitor,
  ): number | { position: number; stop: ScanStop } {
    const head = this.#head;
    if (!largeFrameIsWhole(file, position, head, this.#believes(position))) return { position, stop: 'bad' };
    if (this.#isFenced()) return { position, stop: 'fenced' };
    const end = position + head.length;
    return visit(head, this.#buffer, 0, position) ? end : { position: end, stop: 'stopped' };
  }

  #isZero(from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (this.#buffer[at] !== 0) return false;
    return true;
  }
}
