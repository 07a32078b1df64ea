import { hasBytesBehind } from '../disk/bytes-behind.js';
import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import type { Head, KindTable } from '../frame/frame.js';
import { FrameScanner } from '../frame/frame-scanner.js';
import { type FrameAt, framesBehind } from '../frame/frame-search.js';
import { type Pace, STRETCH_BYTES } from './pace.js';

/** Who is shown the frames of a file. */
export interface FrameGuest {
  /** Sees a whole frame; all is only lent. 'refused': it cannot stand there. 'last': nothing behind it counts. */
  take(head: Head, bytes: Buffer, at: number, position: number): 'taken' | 'refused' | 'last';
  /** Whether the walk can go on with a whole frame that stands behind bytes that are bad or refused. It is taken then. */
  resumesAt(frame: FrameAt): boolean;
  /** The bytes `[position, frame.position)` are bad, and the walk goes on with `frame`. */
  hole(position: number, frame: FrameAt): void;
}

/**
 * Shows a guest every whole frame of a file, also those behind damage: unlike a reader it never stops at bad bytes, nor at
 * zeros with something behind them, as long as any frame follows that fits.
 */
export async function walkFrames(
  file: DiskFile,
  salt: number,
  kinds: KindTable,
  guest: FrameGuest,
  pace: Pace,
): Promise<void> {
  // Fences are looked for when everything was read.
  const scanner = new FrameScanner(salt, () => false);
  let position = HEADER_BYTES;
  let resumedAt: number | undefined;
  for (;;) {
    const start = position;
    let verdict: ReturnType<FrameGuest['take']> = 'taken';
    let refusedAt = start;
    const { position: behind, stop } = scanner.scan(file, start, (head, bytes, at, where) => {
      verdict = guest.take(head, bytes, at, where);
      refusedAt = where;
      return verdict === 'taken' && where - start < STRETCH_BYTES;
    });
    await pace.read(behind - start);
    if (asVerdict(verdict) === 'last') return;
    const isRefused = asVerdict(verdict) === 'refused';
    if (stop === 'stopped' && !isRefused) {
      position = behind;
      continue;
    }
    const bad = isRefused ? refusedAt : behind;
    if (stop === 'end' && !hasBytesBehind(file, bad)) return;
    // What was refused may fit once what is missing before it is passed over; refused again, it never will.
    const mayFit = isRefused && bad !== resumedAt;
    const frame = firstFit(file, mayFit ? bad : bad + 1, kinds, salt, guest);
    if (frame === undefined) return;
    guest.hole(bad, frame);
    position = frame.position;
    resumedAt = position;
  }
}

/** The compiler does not see that a callback has set it. */
const asVerdict = (verdict: string): string => verdict;

function firstFit(
  file: DiskFile,
  position: number,
  kinds: KindTable,
  salt: number,
  guest: FrameGuest,
): FrameAt | undefined {
  for (const frame of framesBehind(file, position, kinds, salt)) if (guest.resumesAt(frame)) return frame;
  return undefined;
}
