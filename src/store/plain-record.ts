import { Mark, withoutMark } from '../frame/marks.js';
import type { StoredRecord } from '../segment/stored-record.js';
import { joined, plainParts } from './pieces.js';
import { notedTransforms, type Transforms, transformsToUndo, undo } from './transforms.js';
import type { Turns } from './turns.js';

/**
 * The record as it was handed in: what its marks say that it went through is undone. CODEC, with its index, where a transform is not
 * among the opener's, or cannot decode it.
 */
export function plainRecord(record: StoredRecord, transforms: Transforms | undefined): StoredRecord {
  const { index, marks, payload } = record;
  if (marks.length === 0) return record;
  const noted = notedTransforms(marks);
  if (noted === undefined) return record;
  const toUndo = transformsToUndo(index, noted, transforms);
  return {
    ...record,
    payload: noted.inPieces ? joined([...plainParts(index, payload, toUndo)]) : undo(index, payload, toUndo),
  };
}

/** Whether the record went through transforms piece by piece, and may be very long, however little of it is stored. */
export const isInPieces = ({ marks }: StoredRecord): boolean =>
  marks.length > 0 && notedTransforms(marks)?.inPieces === true;

/**
 * Undoes what was done to it in pieces, leaving the event loop to others in between: no mark says any more that it was. One that cannot be
 * undone stays as it is: `plainRecord` says why.
 */
export async function undonePieces(
  record: StoredRecord,
  transforms: Transforms | undefined,
  turns: Turns,
): Promise<StoredRecord> {
  const { index, marks, payload } = record;
  const noted = notedTransforms(marks);
  if (noted === undefined) return record;
  const parts: Uint8Array[] = [];
  try {
    for (const part of plainParts(index, payload, transformsToUndo(index, noted, transforms))) {
      parts.push(part);
      const pause = turns.pause();
      if (pause !== undefined) await pause;
    }
  } catch {
    return record;
  }
  return { ...record, marks: withoutMark(marks, Mark.transforms), payload: joined(parts) };
}
