import type { DiskFile } from '../disk/disk.js';
import {
  bodyIsWhole,
  emptyHead,
  HEAD_BYTES,
  type Head,
  type KindTable,
  KNOWN_FLAGS,
  placeOf,
  readHead,
} from './frame.js';
import { bodyInFileIsWhole } from './large-body.js';

const WINDOW_BYTES = 1024 * 1024;

/** A whole frame, wherever it stands. */
export interface FrameAt {
  readonly position: number;
  readonly kind: number;
  readonly number: number;
  readonly safe: number;
}

/**
 * Every whole frame of the given kinds behind a position, at whatever byte it begins. Slow: it is for recovery, which must
 * never stop looking at the first bad frame or at zeros, and cannot trust entries, for they are not synced.
 */
export function* framesBehind(
  file: DiskFile,
  position: number,
  kinds: KindTable,
  salt: number,
): Generator<FrameAt, void> {
  // Segments may be many and small.
  const bytes = Math.min(WINDOW_BYTES, Math.max(HEAD_BYTES, file.size() - position));
  const window = Buffer.allocUnsafe(bytes);
  const head = emptyHead();
  for (let start = position; ; ) {
    const filled = file.read(window, 0, bytes, start);
    if (filled < HEAD_BYTES) return;
    let at = 0;
    while (at + HEAD_BYTES <= filled) {
      if (!mayBeHead(window, at, kinds)) {
        at += 1;
      } else if (
        readHead(window, at, placeOf(salt, start + at), head) &&
        isWhole(file, window, filled, start, at, head)
      ) {
        yield { position: start + at, kind: head.kind, number: head.number, safe: head.safe };
        at += head.length;
      } else {
        at += 1;
      }
    }
    start += at;
  }
}

/** Cheap enough for each byte: the kinds looked for, and no flag but those there are. */
const mayBeHead = (bytes: Buffer, at: number, kinds: KindTable): boolean =>
  kinds[bytes[at + 4] as number] === 1 && ((bytes[at + 5] as number) & ~KNOWN_FLAGS) === 0;

function isWhole(
  file: DiskFile,
  window: Buffer,
  filled: number,
  start: number,
  at: number,
  head: Head,
): boolean {
  if (at + head.length <= filled) return bodyIsWhole(window, at, head);
  if (start + at + head.length > file.size()) return false;
  if (head.length > WINDOW_BYTES) return bodyInFileIsWhole(file, start + at, head);
  const bytes = Buffer.allocUnsafe(head.length);
  return file.read(bytes, 0, head.length, start + at) === head.length && bodyIsWhole(bytes, 0, head);
}
