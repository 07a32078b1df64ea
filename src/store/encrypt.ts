import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { CodecError } from '../errors.js';
import { invalid } from './options.js';
import type { Transform } from './transforms.js';

/** A key, and the name by which a value says that it needs this one. The name is no secret. */
export interface EncryptionKey {
  /** 1 to 100 letters, digits, `_`, `-`, `.`. */
  readonly id: string;
  /** 32 bytes, as `crypto.randomBytes(32)` makes them. A password is none: derive one with `crypto.scrypt`. */
  readonly key: Uint8Array;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A transform that encrypts with AES-256-GCM. What is written is encrypted with the first key, under a nonce of 96 random bits; what any
 * of the keys has encrypted can be read. So a key is rotated by putting a new one before it, and left out when no record needs it any
 * more. A key alone, without an id, is named after its own SHA-256.
 *
 * What is encrypted is the data, and the value of a schedule. ⚑ Not encrypted are headers, times, sizes, keys and ids of messages,
 * names of schedules and codecs, reasons of failures and what handlers tell of their progress. Put `compress` before it: what is
 * encrypted does not become smaller.
 *
 * INVALID_OPTION. A value whose key is not among them, or that was tampered with, is CODEC when it is read. One key is good for
 * 2^32 values, of which each mebibyte of a stream is one.
 */
export function encrypt(
  keys: Uint8Array | EncryptionKey | readonly (Uint8Array | EncryptionKey)[],
): Transform {
  const given: readonly unknown[] = Array.isArray(keys) ? keys : [keys];
  const byId = new Map<string, Buffer>();
  for (const [at, one] of given.entries()) {
    const { id, key } = keyOf(one, Array.isArray(keys) ? `keys[${at}]` : 'keys');
    if (byId.has(id)) throw invalid(`keys[${at}].id`, 'an id that no other key has', id);
    byId.set(id, Buffer.from(key));
  }
  const [current] = byId;
  if (current === undefined) throw invalid('keys', 'at least one key', keys);
  const [currentId, currentKey] = current;
  return {
    name: 'encrypt',
    encode: (bytes) => seal(bytes, currentId, currentKey),
    decode: (bytes) => open(bytes, byId),
  };
}

function keyOf(value: unknown, what: string): EncryptionKey {
  if (value instanceof Uint8Array) {
    const digest = createHash('sha256').update(checkKey(value, what)).digest('hex');
    return { id: digest.slice(0, 16), key: value };
  }
  if (typeof value !== 'object' || value === null) throw invalid(what, 'a key, or { id, key }', value);
  const { id, key } = value as Partial<Record<keyof EncryptionKey, unknown>>;
  if (typeof id !== 'string' || !/^[A-Za-z0-9_.-]{1,100}$/.test(id))
    throw invalid(`${what}.id`, '1 to 100 letters, digits, _, - or .', id);
  return { id, key: checkKey(key, `${what}.key`) };
}

/** ⚑ What is wrong with it is told without telling it. */
function checkKey(key: unknown, what: string): Uint8Array {
  if (!(key instanceof Uint8Array)) throw invalid(what, `${KEY_BYTES} bytes`, typeof key);
  if (key.length !== KEY_BYTES) throw invalid(what, `${KEY_BYTES} bytes`, `${key.length} bytes`);
  return key;
}

/** The id's length, the id, the nonce, the tag, and what the cipher made. The id is authenticated with it. */
function seal(bytes: Uint8Array, id: string, key: Buffer): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const name = Buffer.from(id);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(name);
  const sealed = cipher.update(bytes);
  cipher.final();
  return Buffer.concat([Buffer.of(name.length), name, nonce, cipher.getAuthTag(), sealed]);
}

/** CODEC. */
function open(bytes: Uint8Array, keys: ReadonlyMap<string, Buffer>): Uint8Array {
  const nonceAt = 1 + (bytes[0] ?? 0);
  const tagAt = nonceAt + NONCE_BYTES;
  const sealedAt = tagAt + TAG_BYTES;
  if (bytes.length < sealedAt)
    throw new CodecError('it is nothing that encrypt has made: the record was written with something else');
  const name = Buffer.from(bytes.subarray(1, nonceAt));
  const key = keys.get(name.toString());
  if (key === undefined)
    throw new CodecError(
      `it was encrypted with the key '${printable(name)}', which is not among the keys: give encrypt that key, too`,
    );
  const cipher = createDecipheriv(CIPHER, key, bytes.subarray(nonceAt, tagAt), { authTagLength: TAG_BYTES })
    .setAAD(name)
    .setAuthTag(bytes.subarray(tagAt, sealedAt));
  const decoded = cipher.update(bytes.subarray(sealedAt));
  try {
    cipher.final();
  } catch (error) {
    throw new CodecError(
      `the key '${printable(name)}' does not fit, or the data was tampered with: give encrypt the right key`,
      undefined,
      error,
    );
  }
  return decoded;
}

/** Nothing that a terminal would act on. */
const printable = (name: Buffer): string => name.toString().replace(/[^A-Za-z0-9_.-]/g, '?');
