/** What can go wrong, by stable code. `docs/errors.md` says for each when it comes and what to do. */
export type ErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_VALUE'
  | 'STORE_FULL'
  | 'RECORD_TOO_LARGE'
  | 'CLOSED'
  | 'CORRUPT'
  | 'UNSUPPORTED_VERSION'
  | 'UNSUPPORTED'
  | 'MISMATCH'
  | 'LOCK_UNAVAILABLE'
  | 'LOCK_LOST'
  | 'LEASE_LOST'
  | 'STORE_FAILED'
  | 'DISK_FULL'
  | 'CODEC';

/**
 * The one kind of error this library throws. Match on `code`, which is stable between versions; the message
 * is for people and ends with what to do. `cause` keeps the error beneath, if there was one.
 */
export class DurostoreError extends Error {
  override readonly name: string = 'DurostoreError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Bytes that fail their checksum: where they are and which records are at stake. The rest stays readable. */
export class CorruptError extends DurostoreError {
  override readonly name = 'CorruptError';
  /** Path of the file. */
  readonly file: string;
  /** Byte position in it. */
  readonly position: number;
  /** How many bytes are at stake. */
  readonly bytes: number;
  /** The indexes at stake, both inclusive, where they are known. */
  readonly indexes: { readonly from: number; readonly to: number } | undefined;

  constructor(
    what: string,
    place: {
      file: string;
      position: number;
      bytes: number;
      indexes?: { from: number; to: number } | undefined;
      /** What to do, where the store does not open. */
      remedy?: string | undefined;
    },
    cause?: unknown,
  ) {
    const { file, position, bytes, indexes, remedy } = place;
    const records = indexes ? `; records ${indexes.from} to ${indexes.to}` : '';
    super(
      'CORRUPT',
      `${what} in ${file} at byte ${position} (${bytes} bytes at stake${records}). ` +
        (remedy ?? 'Everything else stays readable: delete the record or restore the file from a copy'),
      cause,
    );
    this.file = file;
    this.position = position;
    this.bytes = bytes;
    this.indexes = indexes;
  }
}

/** What a schema has against a value, as Standard Schema words it. */
export interface SchemaIssue {
  readonly message: string;
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** So many issues are in the message; the others are in `issues`. */
const TOLD_ISSUES = 3;

/** A value that fails the queue's schema: nothing was written, or, where `index` names a stored one, it stays. */
export class InvalidValueError extends DurostoreError {
  override readonly name = 'InvalidValueError';
  readonly issues: readonly SchemaIssue[];
  /** Which of a batch it is, from 0. */
  readonly position: number | undefined;
  /** Which stored one it is. */
  readonly index: number | undefined;

  constructor(
    issues: readonly SchemaIssue[],
    which: {
      readonly position?: number | undefined;
      readonly index?: number | undefined;
      /** What to do, where that is not the usual. */
      readonly remedy?: string | undefined;
    } = {},
    cause?: unknown,
  ) {
    const { position, index, remedy } = which;
    const batch = position === undefined ? 'the value' : `value ${position} of the batch`;
    const what = index === undefined ? batch : `the value of record ${index}`;
    const told = issues.slice(0, TOLD_ISSUES).map(({ path, message }) => {
      const where = pathText(path ?? []);
      return where === '' ? message : `${where}: ${message}`;
    });
    const others = issues.length - told.length;
    super(
      'INVALID_VALUE',
      `${what} fails the queue's schema: ${told.join('; ')}${others > 0 ? `; and ${others} more` : ''}. ` +
        (remedy ??
          (index === undefined ? 'Nothing was written: correct it' : 'It stays where it is: delete it')),
      cause,
    );
    this.issues = issues;
    this.position = position;
    this.index = index;
  }
}

/** `orders[2].customer`. */
function pathText(path: NonNullable<SchemaIssue['path']>): string {
  let text = '';
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += typeof key === 'string' ? `[${JSON.stringify(key)}]` : `[${String(key)}]`;
  }
  return text;
}

/** A value that cannot be encoded, or a stored one that cannot be decoded; `index` names the stored one. */
export class CodecError extends DurostoreError {
  override readonly name = 'CodecError';
  readonly index: number | undefined;

  constructor(message: string, index?: number, cause?: unknown) {
    super('CODEC', message, cause);
    this.index = index;
  }
}
