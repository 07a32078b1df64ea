import { damagedLine, decodeFormatLine, encodeFormatLine } from '../disk/format-line.js';

/**
 * How a take-over ended: where the log and the journal of the epoch before are cut, and where they are continued. What was
 * written below the cuts counts; what a sleeper writes at or past them nobody will ever see.
 */
export interface Takeover {
  /** The epoch that begins: the number of its fence. */
  readonly epoch: number;
  /** The first index of the new epoch. Indexes from it on that stand in files of earlier epochs count for nothing. */
  readonly next: number;
  /** The segment that was being written, and where it is cut; `first` is 0 where there was none. */
  readonly segment: { readonly first: number; readonly end: number };
  /** The last fact that counts. */
  readonly fact: number;
  /** The journal that succeeds the one before it, whose state it begins with, and where that one is cut. */
  readonly journal: { readonly number: number; readonly end: number };
}

/** One line of JSON. The last take-over comes last. */
export const encodeTakeovers = (storeId: Buffer, takeovers: readonly Takeover[]): Buffer =>
  encodeFormatLine({ id: storeId.toString('hex'), takeovers });

/** UNSUPPORTED_VERSION where it is a later version's, CORRUPT where it is not what was written, or another store's. */
export function decodeTakeovers(bytes: Buffer, storeId: Buffer, path: string): Takeover[] {
  const { id, takeovers } = decodeFormatLine(bytes, path);
  try {
    if (id === storeId.toString('hex') && Array.isArray(takeovers)) return takeovers.map(checkTakeover);
  } catch {
    // Told below.
  }
  throw damagedLine(path, bytes.length);
}

function checkTakeover(value: Takeover): Takeover {
  const { epoch, next, segment, fact, journal } = value;
  for (const number of [epoch, next, segment.first, segment.end, fact, journal.number, journal.end])
    if (!Number.isSafeInteger(number) || number < 0) throw new TypeError('not a take-over');
  return { epoch, next, segment, fact, journal };
}
