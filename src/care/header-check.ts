import type { DiskFile } from '../disk/disk.js';
import {
  checkFileHeader,
  featuresOf,
  HEADER_BYTES,
  type HeaderKind,
  NEW_FEATURES,
  storeIdInHeader,
} from '../frame/file-header.js';

export interface CheckedHeader {
  readonly verdict: 'valid' | 'absent' | 'foreign';
  /** The store that it names, where it is a whole header. */
  readonly storeId: string | undefined;
  /** What it announces; everything that is known where it cannot be read. */
  readonly features: number;
}

/** Reads and judges the header of a file. UNSUPPORTED_VERSION where it is a later version's. */
export function checkHeader(
  file: DiskFile,
  kind: HeaderKind,
  storeId: Buffer,
  number: number,
  epoch: number,
): CheckedHeader {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const length = file.read(bytes, 0, HEADER_BYTES, 0);
  const verdict = checkFileHeader(bytes, length, kind, storeId, number, file.path, epoch);
  return {
    verdict,
    features: verdict === 'valid' ? featuresOf(bytes) : NEW_FEATURES,
    storeId: length < HEADER_BYTES ? undefined : storeIdInHeader(bytes),
  };
}
