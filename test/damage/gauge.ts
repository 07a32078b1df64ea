import type { MemoryDisk } from '../../src/disk/memory.js';
import { MemoryFile } from '../../src/disk/memory-file.js';

/** More than a look at a small directory can need: a loop that does not end. */
const MOST_OPERATIONS = 20_000;
/** What recovery looks through a file with; the files here are smaller. */
const LARGEST_READ = 1024 * 1024;

/** Measures what is asked of a disk in memory: how often, and for how many bytes at a time. */
export class Gauge {
  /** The most that any call has taken. */
  mostOperations = 0;
  largestRead = 0;
  #operations = 0;
  #largest = 0;

  /** Counts reads of every disk in memory from now on, until `end` is called. */
  static begin(): Gauge {
    const gauge = new Gauge();
    const read = MemoryFile.prototype.read;
    MemoryFile.prototype.read = function (into, offset, length, position) {
      gauge.#largest = Math.max(gauge.#largest, into.length);
      return read.call(this, into, offset, length, position);
    };
    gauge.end = () => {
      MemoryFile.prototype.read = read;
    };
    return gauge;
  }

  end: () => void = () => {};

  watch(machine: MemoryDisk): void {
    machine.onOperation = () => {
      this.#operations += 1;
      if (this.#operations > MOST_OPERATIONS) throw new Error('this does not end');
      return undefined;
    };
  }

  /** What a call comes to; `tell` hears of it where it asks for too much. */
  async measure<T>(call: () => Promise<T>, tell: (problem: string) => void): Promise<T> {
    this.#operations = 0;
    this.#largest = 0;
    try {
      return await call();
    } finally {
      if (this.#operations > MOST_OPERATIONS) tell(`${this.#operations} operations: it does not end`);
      if (this.#largest > LARGEST_READ) tell(`${this.#largest} bytes are read at a time`);
      this.mostOperations = Math.max(this.mostOperations, this.#operations);
      this.largestRead = Math.max(this.largestRead, this.#largest);
    }
  }
}
