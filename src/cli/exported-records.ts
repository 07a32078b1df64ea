import { DurostoreError, type Entry } from '../mod.js';
import { inJson, textOf } from './text.js';

/** What a line of an export is when it comes back: indexes and times are new then. */
export interface ExportedRecord {
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Larger ones come from `writeStream` or a larger `maxFileSize`: as JSON they may be longer than any string. */
export const LARGEST_EXPORTED = 64 * 1024 * 1024;

/** The line of a record of that size, each byte of its data and its headers as `\u0000`. */
export const LONGEST_EXPORTED_LINE = 400 * 1024 * 1024;

/** A record as an object that `JSON.stringify` loses nothing of. */
export const exportedForm = ({ index, time, headers, data }: Entry): Record<string, unknown> => ({
  index,
  time: time.toISOString(),
  headers,
  ...inJson('data', data),
});

/** What `dump --json` prints is taken, too. */
const FIELDS = new Set(['index', 'time', 'size', 'headers', 'data', 'base64']);

/** The record that a line is. INVALID_VALUE where it is none, or would not be the same again; `name` says which line it is. */
export function exportedRecord(line: Uint8Array, name: string): ExportedRecord {
  const invalid = (what: string, cause?: unknown): DurostoreError =>
    new DurostoreError(
      'INVALID_VALUE',
      `${name} is no record: ${what}. Nothing of it and of what follows was imported: correct it, and import from there on`,
      cause,
    );
  const text = textOf(line);
  if (text === undefined) throw invalid('it is not UTF-8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(`it is not JSON (${error instanceof Error ? error.message : String(error)})`, error);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalid('it is not a JSON object');
  const unknown = Object.keys(parsed).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) throw invalid(`it has '${unknown}', which no record has`);
  const { data, base64, headers = {} } = parsed as Readonly<Record<string, unknown>>;
  if (!areHeaders(headers)) throw invalid("its 'headers' are not an object of strings");
  if (data !== undefined && base64 !== undefined) throw invalid("it has both 'data' and 'base64'");
  if (typeof data === 'string') {
    const bytes = Buffer.from(data);
    if (bytes.toString() !== data) throw invalid("its 'data' has half a character, which UTF-8 cannot hold");
    return { data: bytes, headers };
  }
  if (typeof base64 === 'string') {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.toString('base64') !== base64) throw invalid("its 'base64' is not base64");
    return { data: bytes, headers };
  }
  throw invalid("it has no 'data' and no 'base64' that is a string");
}

const areHeaders = (headers: unknown): headers is Readonly<Record<string, string>> =>
  typeof headers === 'object' &&
  headers !== null &&
  !Array.isArray(headers) &&
  Object.values(headers).every((value) => typeof value === 'string');
