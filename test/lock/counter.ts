import { join } from 'node:path';
import type { DiskFile } from '../../src/disk/disk.js';
import { osDisk } from '../../src/disk/os.js';

const bytes = Buffer.alloc(8);

/** A number in a file, which a lock is to protect. */
export function openCounter(directory: string): DiskFile {
  const path = join(directory, 'counter');
  const file = osDisk.open(path, 'write') ?? osDisk.create(path) ?? osDisk.open(path, 'write');
  if (file === undefined) throw new Error(`No counter at ${path}`);
  return file;
}

export function readCounter(file: DiskFile): number {
  return file.read(bytes, 0, 8, 0) === 8 ? bytes.readDoubleLE() : 0;
}

/** Reads it, and writes one more after `reads` readings; the number written. */
export function addOne(file: DiskFile, reads = 4): number {
  let number = 0;
  for (let reading = 0; reading < reads; reading++) number = readCounter(file);
  number++;
  bytes.writeDoubleLE(number);
  file.write(bytes, 0, 8, 0);
  return number;
}
