import { hasBytesBehind } from '../disk/bytes-behind.js';
import type { DiskFile } from '../disk/disk.js';
import { SEGMENT_KINDS } from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';
import type { FoundFrame } from './entry-search.js';
import type { Ending, FoundEnd } from './recovery-table.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

/** What was found, and the first whole frame behind what is bad. */
export interface SurveyedEnd {
  readonly end: FoundEnd;
  readonly behind: FoundFrame | undefined;
}

/**
 * Gathers what stands where a tail has stopped reading, for recovery's table to decide on. It never stops looking at the
 * first bad frame or at zeros. What frames say is safe goes into the tail.
 */
export class EndSurvey {
  /** Nobody else is in the directory: the power may have been cut, and pages reach the device in any order. */
  readonly alone: boolean;
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  #sawLater = false;

  constructor(files: SegmentFiles, tail: Tail, alone: boolean) {
    this.#files = files;
    this.#tail = tail;
    this.alone = alone;
  }

  take(): SurveyedEnd {
    const { epochs } = this.#files;
    const tail = this.#tail;
    const first = tail.active;
    const cut = epochs.cutOfSegment(first);
    const successor = this.#files.list().find((later) => later > first);
    const sealed = tail.state === 'sealed';
    const ended = this.#files.isEnded(first);
    const { ending, behind } = sealed
      ? { ending: 'sealed' as const, behind: undefined }
      : this.#lookBehind(this.#files.data(first), cut?.end);
    if (!sealed && successor !== undefined) this.#seeLater(first);
    return {
      behind,
      end: {
        ending,
        first,
        next: tail.nextIndex,
        safe: tail.safe,
        attested: !this.alone && successor !== undefined,
        damaged: tail.hasDamage,
        continuesAt: sealed ? tail.successor : (cut?.next ?? (ended ? epochs.latest?.next : undefined)),
        successor,
        ended,
      },
    };
  }

  /** Nothing behind the position where a take-over has cut the segment counts. */
  #lookBehind(
    file: DiskFile | undefined,
    cut = Number.POSITIVE_INFINITY,
  ): { ending: Ending; behind: FoundFrame | undefined } {
    const { end, readUpTo } = this.#tail;
    if (file === undefined || end >= cut || !hasBytesBehind(file, end))
      return { ending: 'clean', behind: undefined };
    let behind: FoundFrame | undefined;
    for (const frame of framesBehind(file, end + 1, SEGMENT_KINDS, this.#files.salt)) {
      if (frame.position >= cut) break;
      if (frame.number < readUpTo) continue;
      behind ??= { index: frame.number, position: frame.position, isMarked: true };
      this.#tail.sawSafe(frame.safe);
      if (this.#tail.nextIndex <= this.#tail.safe) break;
    }
    return { ending: behind === undefined ? 'torn' : 'frames-behind', behind };
  }

  /** Frames of later segments know better what is safe. Once is enough, for all of them are looked at. */
  #seeLater(first: number): void {
    if (this.#sawLater) return;
    this.#sawLater = true;
    for (const later of this.#files.list()) {
      const file = later > first ? this.#files.data(later) : undefined;
      if (file === undefined) continue;
      const cut = this.#files.epochs.cutOfSegment(later)?.end ?? Number.POSITIVE_INFINITY;
      for (const frame of framesBehind(file, 0, SEGMENT_KINDS, this.#files.salt))
        if (frame.position < cut) this.#tail.sawSafe(frame.safe);
    }
  }
}
