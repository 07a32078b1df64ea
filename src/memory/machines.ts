import { resolve } from 'node:path';
import { MemoryDisk } from '../disk/memory.js';
import { MemoryOpener } from '../disk/memory-opener.js';

/** By directory. As a directory on a disk, one is there, with what is in it, until it is removed. */
const machines = new Map<string, MemoryDisk>();
let unnamed = 0;

/** A directory without a disk, and a disk that holds nothing else, as a new process sees it. */
export interface Place {
  readonly directory: string;
  readonly disk: MemoryOpener;
}

/** The same place for the same directory; one of its own where none is named, which is forgotten with its opener. */
export function placeOf(directory: string | undefined): Place {
  if (directory === undefined) {
    unnamed += 1;
    return { directory: `/memory-${unnamed}`, disk: newcomer(newMachine()) };
  }
  const path = resolve(directory);
  let machine = machines.get(path);
  if (machine === undefined) {
    machine = newMachine();
    machines.set(path, machine);
  }
  return { directory: path, disk: newcomer(machine) };
}

/** False where there was none. */
export const forget = (directory: string): boolean => machines.delete(resolve(directory));

const newMachine = (): MemoryDisk => new MemoryDisk({ cutsPower: false });

/** Not one of the machine's own list of openers, which is for those that lose power. */
const newcomer = (machine: MemoryDisk): MemoryOpener => new MemoryOpener(machine, 'opener');
