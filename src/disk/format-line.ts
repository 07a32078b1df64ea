import { crc32 } from 'node:zlib';
import { CorruptError, DurostoreError } from '../errors.js';
import { FORMAT_NAME, FORMAT_VERSION } from './format.js';
import { laterVersion } from './later-version.js';

const BEGINNING = `{"format":"${FORMAT_NAME}","version":${FORMAT_VERSION},`;

/**
 * One line of JSON that says whose it is before anything else, and ends with its checksum, the CRC-32 of all before
 * `,"sum"` in hexadecimal:
 *
 *     {"format":"durostore","version":1,"features":[],…,"sum":"1c291ca3"}
 *
 * Features are the names of what a reader has to know beyond the version; none is known yet. Every version keeps `format`
 * and `version`.
 */
export function encodeFormatLine(fields: Readonly<Record<string, unknown>>): Buffer {
  const whole = JSON.stringify({ format: FORMAT_NAME, version: FORMAT_VERSION, features: [], ...fields });
  const summed = whole.slice(0, -1);
  return Buffer.from(`${summed},"sum":"${sumOf(summed)}"}\n`);
}

/** UNSUPPORTED_VERSION where it is another program's or a later version's; CORRUPT where it is ours and was changed. */
export function decodeFormatLine(bytes: Buffer, path: string): Record<string, unknown> {
  const text = bytes.toString('utf8');
  const value = parse(text);
  if (
    !text.startsWith(BEGINNING) &&
    (value?.['format'] !== FORMAT_NAME || value['version'] !== FORMAT_VERSION)
  )
    throw notOurs(path, text);
  const parts = /^(\{.*),"sum":"([0-9a-f]{8})"\}\n$/.exec(text);
  if (value === undefined || parts === null || sumOf(parts[1] ?? '') !== parts[2])
    throw damagedLine(path, bytes.length);
  const features = value['features'];
  if (!Array.isArray(features)) throw damagedLine(path, bytes.length);
  if (features.length > 0)
    throw laterVersion(path, `uses ${features.map((one) => JSON.stringify(one)).join(', ')}`);
  return value;
}

export const damagedLine = (path: string, bytes: number): CorruptError =>
  new CorruptError('what stands there is not what was written', { file: path, position: 0, bytes });

const sumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0');

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const notOurs = (path: string, text: string): DurostoreError =>
  new DurostoreError(
    'UNSUPPORTED_VERSION',
    `${path} is not of this version of durostore (format ${FORMAT_NAME}, version ${FORMAT_VERSION}): ` +
      `${JSON.stringify(text.slice(0, 200))}. Nothing was changed: open it with the program that wrote it, or choose another directory or filePrefix`,
  );
