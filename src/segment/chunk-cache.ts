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
  #latestPath = '';
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
  view(file: DiskFile, position: number, length: number, end: number, load: boolean): Buffer | undefined {
    if (this.#capacity === 0) return undefined;
    const number = Math.floor(position / this.#chunkBytes);
    const from = position - number * this.#chunkBytes;
    if (from + length > this.#chunkBytes) return undefined;
    let chunk = this.#find(file.path, number);
    if (chunk === undefined) {
      if (!load) return undefined;
      chunk = this.#add(file.path, number);
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
    this.#latestPath = '';
  }

  #find(path: string, number: number): Chunk | undefined {
    if (path === this.#latestPath && number === this.#latestNumber) return this.#latest;
    const key = `${number}:${path}`;
    const chunk = this.#chunks.get(key);
    if (chunk === undefined) return undefined;
    this.#chunks.delete(key);
    this.#chunks.set(key, chunk);
    this.#remember(path, number, chunk);
    return chunk;
  }

  #add(path: string, number: number): Chunk {
    const key = `${number}:${path}`;
    let bytes: Buffer | undefined;
    for (const [oldest, chunk] of this.#chunks) {
      if (this.#chunks.size < this.#capacity) break;
      this.#chunks.delete(oldest);
      bytes = chunk.bytes;
    }
    const chunk = { bytes: bytes ?? Buffer.allocUnsafeSlow(this.#chunkBytes), filled: 0 };
    this.#chunks.set(key, chunk);
    this.#remember(path, number, chunk);
    return chunk;
  }

  #remember(path: string, number: number, chunk: Chunk): void {
    this.#latest = chunk;
    this.#latestPath = path;
    this.#latestNumber = number;
  }
}
