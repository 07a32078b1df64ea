import type { DiskFile } from '../disk/disk.js';
import { bodyIsWhole, emptyHead, FrameKind, HEAD_BYTES, type Head, readHead } from '../frame/frame.js';

const WINDOW_BYTES = 1024 * 1024;

/** A whole frame, wherever it stands. */
export interface FrameAt {
  readonly position: number;
  readonly kind: number;
  readonly number: number;
  readonly safe: number;
}

/**
 * Every whole frame behind a position, at whatever byte it begins. Slow: it is for recovery, which must never stop looking
 * at the first bad frame or at zeros, and cannot trust entries, for they are not synced.
 */
export function* framesBehind(file: DiskFile, position: number): Generator<FrameAt, void> {
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  const head = emptyHead();
  for (let start = position; ; ) {
    const filled = file.read(window, 0, WINDOW_BYTES, start);
    if (filled < HEAD_BYTES) return;
    let at = 0;
    while (at + HEAD_BYTES <= filled) {
      if (
        mayBeHead(window, at) &&
        readHead(window, at, head) &&
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

/** Cheap enough for each byte: the kinds a segment holds, and no flag but the one there is. */
function mayBeHead(bytes: Buffer, at: number): boolean {
  const kind = bytes[at + 4] as number;
  return kind >= FrameKind.record && kind <= FrameKind.mark && (bytes[at + 5] as number) <= 1;
}

function isWhole(
  file: DiskFile,
  window: Buffer,
  filled: number,
  start: number,
  at: number,
  head: Head,
): boolean {
  if (at + head.length <= filled) return bodyIsWhole(window, at, head);
  const bytes = Buffer.allocUnsafe(head.length);
  return file.read(bytes, 0, head.length, start + at) === head.length && bodyIsWhole(bytes, 0, head);
}
