import type { StoredRecord } from '../segment/stored-record.js';
import { plainOfPieces } from './pieces.js';
import { notedTransforms, type Transforms, transformsToUndo, undo } from './transforms.js';

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
    payload: noted.inPieces ? plainOfPieces(index, payload, toUndo) : undo(index, payload, toUndo),
  };
}
