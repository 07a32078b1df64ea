import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import { MOST_OPERATIONS } from './explore.js';
import type { History } from './history.js';

/** What there is just before an operation: where a crash may come. */
export interface Moment {
  /** The one that is about to be done; undefined at the end. */
  readonly operation: Operation | undefined;
  /** The machine without its processes, as their death would leave it. */
  readonly machine: MemoryDisk;
  /** What callers have done and were told until then. */
  readonly history: History;
}

/**
 * Every moment of a run, from one run: at each operation the machine is forked, and so is what was told by then. It is the
 * same as dying there in a run of its own, for nobody does or is told anything after a death.
 */
export class Recorder {
  readonly moments: Moment[] = [];
  readonly #machine: MemoryDisk;
  readonly #history: History;
  /** The operation that the recording began at. */
  readonly #first: number;

  constructor(machine: MemoryDisk, history: History) {
    this.#machine = machine;
    this.#history = history;
    this.#first = machine.operations;
  }

  /** Called before each operation. */
  readonly before = (operation: Operation): undefined => {
    if (operation.n - this.#first > MOST_OPERATIONS) throw new Error('this does not end');
    this.#record(operation);
  };

  /** Records the last moment. */
  end(): readonly Moment[] {
    this.#record(undefined);
    return this.moments;
  }

  #record(operation: Operation | undefined): void {
    // Known to the machine, it is known to each fork of it, but for what differs.
    this.#machine.digest();
    const machine = this.#machine.fork(1);
    machine.age(machine.deathTakesMs);
    const { write } = operation ?? {};
    // The writer uses its buffer again.
    const copy = write && { position: write.position, bytes: Uint8Array.from(write.bytes) };
    this.moments.push({
      operation: operation && { ...operation, write: copy },
      machine,
      history: this.#history.fork(),
    });
  }
}

/** The machine of a moment where the operation is a write, after the first `bytes` of that, and without its processes. */
export function torn({ machine, operation }: Moment, bytes: number): MemoryDisk | undefined {
  if (operation?.write === undefined) return undefined;
  const { position, bytes: whole } = operation.write;
  const fork = machine.fork(1);
  const opener = fork.opener('torn');
  opener.open(operation.path, 'write')?.write(whole, 0, bytes, position);
  fork.kill(opener);
  return fork;
}
