import type { Descriptors } from '../disk/descriptors.js';
import { checksum } from '../frame/checksum.js';
import { HEAD_BYTES, type Head } from '../frame/frame.js';
import type { StoredRecord } from './stored-record.js';

/** A record of so many bytes is read in slices; the checksum of a smaller one takes a quarter of a millisecond. */
export const LARGE_BYTES = 1024 * 1024;
/** So much is read, and summed, between two turns of the event loop. */
const SLICE_BYTES = 1024 * 1024;

/** Where a large record stands, whose head was read. */
export interface LargeRecord {
  readonly path: string;
  readonly position: number;
  readonly head: Readonly<Head>;
}

/**
 * Reads a large record in the background, slice by slice, straight into memory of its own; undefined where its bytes are not
 * those that were written, or cannot be had. The file is held open meanwhile, so it does not matter if it is removed.
 */
export async function readLarge(
  descriptors: Descriptors,
  { path, position, head }: LargeRecord,
): Promise<StoredRecord | undefined> {
  const pinned = descriptors.pin(path);
  if (pinned === undefined) return undefined;
  try {
    let at = position + HEAD_BYTES;
    let sum = 0;
    const read = async (length: number): Promise<Uint8Array | undefined> => {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const wanted = Math.min(SLICE_BYTES, length - done);
        if ((await pinned.file.readLater(bytes, done, wanted, at)) < wanted) return undefined;
        sum = checksum(bytes, done, done + wanted, sum);
        done += wanted;
        at += wanted;
      }
      return bytes;
    };
    const marks = await read(head.marksBytes);
    const headers = marks && (await read(head.headersBytes));
    const payload = headers && (await read(head.length - HEAD_BYTES - head.marksBytes - head.headersBytes));
    if (marks === undefined || headers === undefined || payload === undefined) return undefined;
    if (sum !== head.bodySum) return undefined;
    return { index: head.number, time: head.time, marks, headers, payload };
  } finally {
    pinned.unpin();
  }
}
