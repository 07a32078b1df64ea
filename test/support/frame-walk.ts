import {
  bodyIsWhole,
  emptyHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  readHead,
} from '../../src/frame/frame.js';

export type KindName = keyof typeof FrameKind | 'unknown';

/** A frame whose sums are right, and where it stands. */
export interface WalkedFrame {
  readonly position: number;
  /** Where marks, headers and payload begin. */
  readonly body: number;
  readonly head: {
    readonly kind: KindName;
    readonly length: number;
    readonly number: number;
    readonly time: number;
    readonly safe: number;
    readonly endsBatch: boolean;
  };
}

const KINDS = new Map<number, KindName>(
  Object.entries(FrameKind).map(([name, kind]) => [kind, name as KindName]),
);

/** The frames from `position` on up to the first bytes that are none, and where those stand. */
export function walkFrames(bytes: Buffer, position: number): { frames: WalkedFrame[]; end: number } {
  const frames: WalkedFrame[] = [];
  let at = position;
  for (;;) {
    const frame = wholeFrameAt(bytes, at);
    if (frame === undefined) return { frames, end: at };
    frames.push(frame);
    at += frame.head.length;
  }
}

/** The beginning of the store's id, as the file's own header has it. */
const saltIn = (bytes: Buffer): number => bytes.readUInt32LE(8);

function wholeFrameAt(bytes: Buffer, at: number): WalkedFrame | undefined {
  const head = emptyHead();
  if (at + HEAD_BYTES > bytes.length || !readHead(bytes, at, placeOf(saltIn(bytes), at), head))
    return undefined;
  if (at + head.length > bytes.length || !bodyIsWhole(bytes, at, head)) return undefined;
  const { length, number, time, safe } = head;
  const kind = KINDS.get(head.kind) ?? 'unknown';
  const endsBatch = (head.flags & FLAG_ENDS_BATCH) !== 0;
  return { position: at, body: at + HEAD_BYTES, head: { kind, length, number, time, safe, endsBatch } };
}

/** A frame at any byte behind `position` that the caller takes for a sign of damage before it. */
export function wholeFrameBehind(
  bytes: Buffer,
  position: number,
  isSign: (head: WalkedFrame['head']) => boolean,
): WalkedFrame | undefined {
  if (isZero(bytes, position)) return undefined;
  for (let at = position + 1; at + HEAD_BYTES <= bytes.length; at++) {
    if (!KINDS.has(bytes[at + 4] ?? 0)) continue;
    const frame = wholeFrameAt(bytes, at);
    if (frame !== undefined && isSign(frame.head)) return frame;
  }
  return undefined;
}

const ZEROS = Buffer.alloc(64 * 1024);

export function isZero(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}

export const describeFrame = ({ head, position }: WalkedFrame): string =>
  `${head.kind} ${head.number} at ${position}`;
