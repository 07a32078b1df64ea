import { CorruptError } from '../errors.js';
import { findEntry, timeOfFound } from './entry-search.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

/** Who knows of records more than their entries say. */
export interface Known {
  /** The first index from one on whose record is there. */
  present(from: number): number;
  /** What the record itself says; undefined where it cannot be read. */
  timeOf(index: number): number | undefined;
}

interface Dated {
  readonly index: number;
  readonly time: number;
}

/**
 * The first index that was written at or after a time and is there; the next one where there is none. Times never go backwards in a
 * store, so halving finds it: first among the segments, then among the indexes of one. An entry says when its record was written;
 * where it is missing or odd the record is asked.
 */
export function firstSince(files: SegmentFiles, tail: Tail, time: number, known: Known): number {
  const search = new TimeSearch(files, tail, time, known);
  const firsts = [...tail.segments];
  let low = 0;
  let high = firsts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (search.beginsBefore(firsts[middle] as number)) low = middle + 1;
    else high = middle;
  }
  // Behind a segment of which nothing is known there may be others that begin before the time, too.
  for (let at = Math.max(0, low - 1); at < firsts.length; at++) {
    const found = search.within(firsts[at] as number);
    if (found !== undefined) return found;
  }
  return tail.nextIndex;
}

class TimeSearch {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #time: number;
  readonly #known: Known;
  readonly #found = { position: 0, length: 0 };

  constructor(files: SegmentFiles, tail: Tail, time: number, known: Known) {
    this.#files = files;
    this.#tail = tail;
    this.#time = time;
    this.#known = known;
  }

  /** Whether the first record that is there of a segment was written before the time; false where none is. */
  beginsBefore(first: number): boolean {
    const dated = this.#firstKnown(first, first, this.#end(first));
    return dated !== undefined && dated.time < this.#time;
  }

  /** The first record of a segment that is there and was written at or after the time. */
  within(first: number): number | undefined {
    let found: number | undefined;
    let low = first;
    let high = this.#end(first);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const dated = this.#firstKnown(first, middle, high);
      if (dated !== undefined && dated.time < this.#time) low = dated.index + 1;
      else {
        high = middle;
        found = dated?.index ?? found;
      }
    }
    return found;
  }

  #end(first: number): number {
    return this.#tail.segments.after(first) ?? this.#tail.nextIndex;
  }

  #byEntry(first: number, index: number): number | undefined {
    try {
      return findEntry(this.#files, first, index, this.#found) ? timeOfFound() : undefined;
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  #firstKnown(first: number, from: number, end: number): Dated | undefined {
    for (let index = this.#known.present(from); index < end; index = this.#known.present(index + 1)) {
      const time = this.#byEntry(first, index) ?? this.#known.timeOf(index);
      if (time !== undefined) return { index, time };
    }
    return undefined;
  }
}
