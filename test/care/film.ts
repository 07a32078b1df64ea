import type { Disk, DiskFile } from '../../src/disk/disk.js';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { OperationKind } from '../../src/disk/memory-fault.js';

const CHANGES = new Set<OperationKind>(['create', 'link', 'unlink', 'write', 'truncate', 'makeDirectory']);

/** Every state that a machine goes through. */
export class Film {
  readonly frames: MemoryDisk[] = [];

  /** From now on, until `end`. */
  constructor(machine: MemoryDisk) {
    this.begin(machine);
  }

  /** Goes on, after an end. */
  begin(machine: MemoryDisk): void {
    machine.onOperation = ({ kind }) => {
      if (CHANGES.has(kind)) this.frames.push(machine.fork(1));
      return undefined;
    };
  }

  end(machine: MemoryDisk): void {
    machine.onOperation = undefined;
    this.frames.push(machine.fork(1));
  }
}

/**
 * A disk that shows the film while it is read: between any two calls others go on. It cannot be written to.
 */
export function viewOf(film: Film, from: number, step: () => number): Disk & { readonly moment: number } {
  let moment = from;
  const advance = (): MemoryDisk => {
    moment = Math.min(moment + step(), film.frames.length - 1);
    const frame = film.frames[moment];
    if (frame === undefined) throw new Error('the film is empty');
    return frame;
  };
  const refuse = (what: string) => (): never => {
    throw new Error(`verify tried to ${what}`);
  };
  const open = (path: string): DiskFile | undefined => {
    let content = advance().bytes(path);
    if (content === undefined) return undefined;
    // What is unlinked stays as it was for those who have it open.
    const look = (): Uint8Array => {
      content = advance().bytes(path) ?? content ?? new Uint8Array();
      return content;
    };
    return {
      path,
      read(into, offset, length, position) {
        const part = look().subarray(position, position + length);
        into.set(part, offset);
        return part.length;
      },
      size: () => look().length,
      close: () => {},
      readLater: refuse('read in the background'),
      closeRemoved: refuse('remove'),
      write: refuse('write'),
      truncate: refuse('truncate'),
      sync: refuse('sync'),
      syncNow: refuse('sync'),
      tryLock: refuse('lock'),
      unlock: refuse('unlock'),
    };
  };
  const refusals = Object.fromEntries(
    [
      'create',
      'makeDirectory',
      'link',
      'unlink',
      'syncDirectory',
      'syncDirectoryNow',
      'locality',
      'bootId',
      'watch',
    ].map((name) => [name, refuse(name)]),
  ) as unknown as Omit<Disk, 'open' | 'exists' | 'list' | 'canLock'>;
  return {
    ...refusals,
    get moment() {
      return moment;
    },
    canLock: true,
    open: (path, access) => (access === 'read' ? open(path) : refuse(`open ${path} for writing`)()),
    exists: (path) => advance().lookup(path) !== undefined,
    list: (directory) => advance().directory(directory, 'list').names(),
  };
}
