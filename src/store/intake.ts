import { DurostoreError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import type { ResolvedStoreOptions } from './options.js';

/** What records that are written together may have in common. */
export interface RecordTraits {
  readonly marks?: Buffer | undefined;
  readonly headers?: Buffer | undefined;
  /** Whether its marks are of order. */
  readonly marked?: boolean;
  /** Whether nobody but the writer has the payload any more. */
  readonly owned?: boolean;
  /** Whether the payload went through transforms, which the marks name. */
  readonly transformed?: boolean;
}

/** A record on its way in. */
export interface NewRecord extends RecordTraits {
  readonly payload: Uint8Array;
}

/** What becomes of records before anything of them is written: transforms apply, and they are as large as they may be. */
export class Intake {
  readonly #options: ResolvedStoreOptions;

  constructor(options: ResolvedStoreOptions) {
    this.#options = options;
  }

  /** Whether transforms are to be applied. */
  get areTransformed(): boolean {
    return this.#options.transforms !== undefined;
  }

  /** What the transforms make of records; these themselves where there are none. RECORD_TOO_LARGE, CODEC. */
  transformed(records: readonly NewRecord[]): readonly NewRecord[] {
    const { transforms } = this.#options;
    if (transforms === undefined) return records;
    for (const { payload } of records) this.#sizeOf(payload, 0);
    return records.map((record) => ({
      ...record,
      payload: transforms.encode(record.payload),
      marks: transforms.withMark(record.marks),
      // It may be the very bytes that came in.
      owned: false,
      transformed: true,
    }));
  }

  /** Throws RECORD_TOO_LARGE where they cannot be written together; else returns how many bytes of a file they need. */
  assertSizes(records: readonly NewRecord[]): number {
    let bytes = SEGMENT_OVERHEAD;
    for (const record of records) {
      const before = bytesBefore(record);
      // Its size was looked at before it went through them.
      bytes +=
        record.transformed === true ? before + record.payload.length : this.#sizeOf(record.payload, before);
    }
    return this.#fitting(bytes);
  }

  /** The same of one that is not transformed. */
  assertSize(record: NewRecord): number {
    return this.#fitting(SEGMENT_OVERHEAD + this.#sizeOf(record.payload, bytesBefore(record)));
  }

  /** The same of those that are all alike. */
  assertSizesAlike(payloads: readonly Uint8Array[], traits: RecordTraits): number {
    const before = bytesBefore(traits);
    let bytes = SEGMENT_OVERHEAD;
    for (const payload of payloads) bytes += this.#sizeOf(payload, before);
    return this.#fitting(bytes);
  }

  /** The bytes of a frame, `before` of them before its payload. */
  #sizeOf(payload: Uint8Array, before: number): number {
    const { length } = payload;
    const { maxRecordSize } = this.#options;
    if (length <= maxRecordSize) return before + length;
    throw new DurostoreError(
      'RECORD_TOO_LARGE',
      `a record has ${length} bytes and maxRecordSize is ${maxRecordSize}. Nothing was written: split it, or raise maxRecordSize and maxFileSize`,
    );
  }

  #fitting(bytes: number): number {
    const { maxFileSize } = this.#options;
    if (bytes <= maxFileSize) return bytes;
    throw new DurostoreError(
      'RECORD_TOO_LARGE',
      `the batch needs ${bytes} bytes in one file and maxFileSize is ${maxFileSize}. Nothing was written: split it, or raise maxFileSize`,
    );
  }
}

/** The bytes of a frame before its payload. */
const bytesBefore = ({ marks, headers }: RecordTraits): number =>
  HEAD_BYTES + (marks?.length ?? 0) + (headers?.length ?? 0);
