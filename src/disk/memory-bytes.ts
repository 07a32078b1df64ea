const NOTHING = new Uint8Array(0);

/**
 * Bytes that grow by doubling, so that appending copies each byte about once. What was never written is zero. Copies share
 * their bytes until one of them changes.
 */
export class GrowingBytes {
  /** Zero from `size` on. */
  #bytes: Uint8Array = NOTHING;
  #isShared = false;
  size = 0;

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position));
    if (count > 0) into.set(this.#bytes.subarray(position, position + count), offset);
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.size) this.resize(end);
    this.#own();
    this.#bytes.set(bytes, position);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#isShared = false;
    } else if (size < this.size) {
      this.#own();
      this.#bytes.fill(0, size, this.size);
    }
    this.size = size;
  }

  /** A view, valid until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  copy(): GrowingBytes {
    const copy = new GrowingBytes();
    copy.#bytes = this.#bytes;
    copy.size = this.size;
    copy.#isShared = true;
    this.#isShared = true;
    return copy;
  }

  #own(): void {
    if (!this.#isShared) return;
    this.#bytes = this.#bytes.slice();
    this.#isShared = false;
  }
}
