import { CodecError } from '../errors.js';
import { MAX_HEADERS_BYTES } from '../frame/frame.js';
import { invalid } from './options.js';

export type Headers = Readonly<Record<string, string>>;

const NONE: Headers = Object.freeze({});

/** Headers as bytes: JSON. Undefined where there are none. INVALID_OPTION where they are not strings, or too long. */
export function encodeHeaders(headers: Headers | undefined): Buffer | undefined {
  if (headers === undefined) return undefined;
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw invalid('headers', 'an object of strings', headers);
  }
  const names = Object.keys(headers);
  if (names.length === 0) return undefined;
  for (const name of names) {
    if (typeof headers[name] !== 'string') throw invalid(`headers.${name}`, 'a string', headers[name]);
  }
  const bytes = Buffer.from(JSON.stringify(headers));
  if (bytes.length > MAX_HEADERS_BYTES) {
    throw invalid('headers', `at most ${MAX_HEADERS_BYTES} bytes as JSON`, bytes.length);
  }
  return bytes;
}

/** CODEC where they are whole, and not what headers are: another program wrote them. */
export function decodeHeaders(bytes: Uint8Array, index: number): Headers {
  if (bytes.length === 0) return NONE;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    const headers: unknown = JSON.parse(text);
    if (isHeaders(headers)) return headers;
  } catch {
    // Told below.
  }
  throw new CodecError(
    `the headers of record ${index} are no object of strings. It stays where it is: read its data alone, or delete it`,
    index,
  );
}

const isHeaders = (value: unknown): value is Headers =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((one) => typeof one === 'string');
