import type { DiskFile } from '../disk/disk.js';

const CHUNK_BYTES = 64 * 1024;
const SMALLEST_BUDGET = 4096;
/** So many are remembered at most that were asked for once. */
const MOST_ASKED = 4096;
/** So often in a row one must have been asked for: reading it costs as much as eight records of their own. */
const READ_WHEN_ASKED = 4;
/** Numbers of chunks in a file, which is smaller than 4 GiB, at the smallest size of chunks. */
const MOST_CHUNKS = 2 ** 20;

interface Chunk {
  readonly bytes: Buffer;
  filled: number;
}

/**
 * Bytes of data files in memory, in chunks of 64 KiB, at most `maxBytes` of them; the least recently used chunk goes
 * first. What is committed never changes, so a cached byte stays right for ever; only committed bytes may be asked for.
 *
 * A chunk is read when it is asked for again and again, each time soon after the last: records that are read once, anywhere, cost a
 * read of their own bytes, and what is read often costs none.
 */
export class ChunkCache {
  readonly #chunkBytes: number;
  readonly #capacity: number;
  readonly #chunks = new Map<number, Chunk>();
  readonly #files = new Map<string, number>();
  /** Of chunks that are not here: which were asked for lately. Each has one place, and the last one to ask is there. */
  readonly #asked: Float64Array;
  /** How often in a row. */
  readonly #times: Uint8Array;
  #latest: Chunk | undefined;
  #latestKey = -1;
  /** Where the last view's bytes begin in the buffer that `view` returned. */
  at = 0;

  constructor(maxBytes: number) {
    this.#chunkBytes = Math.min(CHUNK_BYTES, maxBytes);
    this.#capacity = maxBytes < SMALLEST_BUDGET ? 0 : Math.max(1, Math.floor(maxBytes / this.#chunkBytes));
    this.#asked = new Float64Array(Math.min(MOST_ASKED, this.#capacity));
    this.#times = new Uint8Array(this.#asked.length);
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#chunks.size * this.#chunkBytes;
  }

  /**
   * The buffer in which the file's bytes `[position, position + length)` begin at `this.at`; undefined where they cross
   * chunks, or are not cached: then the caller reads them itself. `end` is the committed end.
   */
  view(file: DiskFile, position: number, length: number, end: number): Buffer | undefined {
    if (this.#capacity === 0) return undefined;
    const number = Math.floor(position / this.#chunkBytes);
    const from = position - number * this.#chunkBytes;
    if (from + length > this.#chunkBytes) return undefined;
    const key = this.#fileNumber(file.path) * MOST_CHUNKS + number;
    const chunk = this.#find(key) ?? this.#admit(key);
    if (chunk === undefined) return undefined;
    if (from + length > chunk.filled) {
      const start = number * this.#chunkBytes;
      const wanted = Math.min(this.#chunkBytes, end - start) - chunk.filled;
      if (wanted > 0) chunk.filled += file.read(chunk.bytes, chunk.filled, wanted, start + chunk.filled);
      if (from + length > chunk.filled) return undefined;
    }
    this.at = from;
    return chunk.bytes;
  }

  clear(): void {
    this.#chunks.clear();
    this.#files.clear();
    this.#asked.fill(0);
    this.#latest = undefined;
    this.#latestKey = -1;
  }

  /** From 1 on. */
  #fileNumber(path: string): number {
    let number = this.#files.get(path);
    if (number === undefined) {
      number = this.#files.size + 1;
      this.#files.set(path, number);
    }
    return number;
  }

  #find(key: number): Chunk | undefined {
    if (key === this.#latestKey) return this.#latest;
    const chunk = this.#chunks.get(key);
    if (chunk === undefined) return undefined;
    this.#chunks.delete(key);
    this.#keep(key, chunk);
    return chunk;
  }

  #admit(key: number): Chunk | undefined {
    const place = key % this.#asked.length;
    if (this.#asked[place] !== key) {
      this.#asked[place] = key;
      this.#times[place] = 1;
      return undefined;
    }
    const times = (this.#times[place] as number) + 1;
    this.#times[place] = times;
    if (times < READ_WHEN_ASKED) return undefined;
    // Once it is given up it has to be asked for as often again.
    this.#asked[place] = 0;
    let bytes: Buffer | undefined;
    for (const [oldest, chunk] of this.#chunks) {
      if (this.#chunks.size < this.#capacity) break;
      this.#chunks.delete(oldest);
      bytes = chunk.bytes;
    }
    const chunk = { bytes: bytes ?? Buffer.allocUnsafeSlow(this.#chunkBytes), filled: 0 };
    this.#keep(key, chunk);
    return chunk;
  }

  #keep(key: number, chunk: Chunk): void {
    this.#chunks.set(key, chunk);
    this.#latest = chunk;
    this.#latestKey = key;
  }
}
