import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  writeBodyFields,
} from '../frame/frame.js';
import type { Hole } from './segment-walk.js';

/** Whether frames for all the records of a hole fit into it. */
export const canFill = ({ bytes, from, to }: Hole, isSparse: boolean): boolean =>
  bytes >= (isSparse ? 1 : Math.max(1, to - from)) * HEAD_BYTES;

/**
 * Whole frames that fill a hole exactly, so that the file can be read from frame to frame again: one for each record that
 * stood there, with nothing in it but zeros, or a mark where none did. Nobody sees those records: facts on the device call
 * them lost before the frames are written. A mark says that everything before it is on the device, which the repair has
 * seen to. In a sparse segment, where indexes may be missing, one stands for all.
 */
export function fillerOf(hole: Hole, salt: number, isSparse: boolean): Buffer {
  const { position, bytes, from, to, time, safe } = hole;
  const filler = Buffer.alloc(bytes);
  const put = (at: number, length: number, kind: number, number: number, known = safe): void => {
    writeBodyFields(filler, at, length, kind, FLAG_ENDS_BATCH, 0, 0);
    completeHead(filler, at, placeOf(salt, position + at), number, time, known);
  };
  if (from === to) {
    put(0, bytes, FrameKind.mark, from, from - 1);
    return filler;
  }
  let at = 0;
  for (let index = isSparse ? to - 1 : from; index < to - 1; index++, at += HEAD_BYTES)
    put(at, HEAD_BYTES, FrameKind.record, index);
  put(at, bytes - at, FrameKind.record, to - 1);
  return filler;
}
