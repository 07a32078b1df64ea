import { markAsUntransferable } from 'node:worker_threads';

const SLAB_BYTES = 64 * 1024;
/** Larger copies get memory of their own, so that a small one that is kept pins no more than a slab. */
const LARGEST_SHARED = 8 * 1024;

let slab = new ArrayBuffer(0);
let used = 0;

/**
 * A copy of `bytes[from, to)`. Small ones share slabs, as Node's own buffers do: memory of their own would cost a
 * microsecond each, a part of a slab 0.1. A slab cannot be transferred to another thread, for that would take it from the
 * others.
 */
export function copyOut(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const length = to - from;
  const copy = length > LARGEST_SHARED ? new Uint8Array(length) : take(length);
  copy.set(bytes.subarray(from, to));
  return copy;
}

function take(length: number): Uint8Array {
  if (used + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB_BYTES);
    markAsUntransferable(slab);
    used = 0;
  }
  const part = new Uint8Array(slab, used, length);
  // Eight by eight, so that whoever looks at it in larger units may.
  used += (length + 7) & ~7;
  return part;
}
