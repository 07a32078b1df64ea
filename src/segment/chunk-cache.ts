import type { DiskFile } from '../disk/disk.js';

const CHUNK_BYTES = 64 * 1024;
const SMALLEST_BUDGET = 4096;

interface Chunk {
  bytes: Buffer;
  filled: number;
}

/**
 * Bytes of data files in memory, in chunks of 64 KiB, at most `maxBytes` of them; the least recently used chunk goes
 * first. What is committed never changes, so a cached byte stays right for ever; only committed bytes may be asked for.
 */
export class ChunkCache {
  readonly #chunkBytes: number;
  readonly #capacity: number;
  readonly #chunks = new Map<string, Chunk>();
  #latest: Chunk | undefined;
  #latestFirst = -1;
  #latestNumber = -1;
  /** Where the last view's bytes begin in the buffer that `view` returned. */
  at = 0;

  constructor(maxBytes: number) {
    this.#chunkBytes = Math.min(CHUNK_BYTES, maxBytes);
    this.#capacity = maxBytes < SMALLEST_BUDGET ? 0 : Math.max(1, Math.floor(maxBytes / this.#chunkBytes));
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#chunks.size * this.#chunkBytes;
  }

  /**
   * The buffer in which the file's bytes `[position, position + length)` begin at `this.at`; undefined where they cross
   * chunks, or are not cached and `load` is false: then the caller reads them itself. `end` is the committed end.
   */
  view(
    first: number,
    file: DiskFile,
    position: number,
    length: number,
    end: number,
    load: boolean,
  ): Buffer | undefined {
    if (this.#capacity === 0) return undefined;
    const number = Math.floor(position / this.#chunkBytes);
    const from = position - number * this.#chunkBytes;
    if (from + length > this.#chunkBytes) return undefined;
    let chunk = this.#find(first, number);
    if (chunk === undefined) {
      if (!load) return undefined;
      chunk = this.#add(first, number);
    }
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
    this.#latest = undefined;
    this.#latestFirst = -1;
  }

  #find(first: number, number: number): Chunk | undefined {
    if (first === this.#latestFirst && number === this.#latestNumber) return this.#latest;
    const key = `${first}:${number}`;
    const chunk = this.#chunks.get(key);
    if (chunk === undefined) return undefined;
    this.#chunks.delete(key);
    this.#chunks.set(key, chunk);
    this.#remember(first, number, chunk);
    return chunk;
  }

  #add(first: number, number: number): Chunk {
    const key = `${first}:${number}`;
    let bytes: Buffer | undefined;
    for (const [oldest, chunk] of this.#chunks) {
      if (this.#chunks.size < this.#capacity) break;
      this.#chunks.delete(oldest);
      bytes = chunk.bytes;
    }
    const chunk = { bytes: bytes ?? Buffer.allocUnsafeSlow(this.#chunkBytes), filled: 0 };
    this.#chunks.set(key, chunk);
    this.#remember(first, number, chunk);
    return chunk;
  }

  #remember(first: number, number: number, chunk: Chunk): void {
    this.#latest = chunk;
    this.#latestFirst = first;
    this.#latestNumber = number;
  }
}
