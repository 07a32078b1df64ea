import { getHeapStatistics } from 'node:v8';

/** So much may become garbage before it is collected, while a stream passes through. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;
/** What goes through transforms leaves about so many copies behind. */
const COPIES_TRANSFORMED = 3;
/** A process with more than that on its heap has better things to do than to look through all of it for some mebibytes. */
const LARGEST_HEAP_BYTES = 64 * 1024 * 1024;
/** V8 looks at its young garbage when there are 32 MiB of memory outside its heap that may be such. */
const BALLAST_BYTES = 33 * 1024 * 1024;

/**
 * Keeps a stream of bytes from filling the memory with pieces that nobody needs any more. V8 counts memory by what was asked for: so
 * much of it that nobody ever touches, and that is dropped at once, costs no memory, and has it collect with the next piece.
 * That costs some milliseconds where the heap is small.
 */
export class Ballast {
  readonly #copies: number;
  #bytes = 0;

  constructor(isTransformed: boolean) {
    this.#copies = isTransformed ? COPIES_TRANSFORMED : 1;
  }

  /** So many bytes have passed. */
  passed(bytes: number): void {
    this.#bytes += bytes * this.#copies;
    if (this.#bytes < COLLECT_EVERY_BYTES) return;
    this.#bytes = 0;
    if (getHeapStatistics().used_heap_size > LARGEST_HEAP_BYTES) return;
    try {
      Buffer.allocUnsafeSlow(BALLAST_BYTES);
    } catch {
      // Whoever may not have so much has other limits.
    }
  }
}
