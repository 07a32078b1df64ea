import { createReadStream, mkdtempSync, openSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DiskFile } from './disk.js';
import { osDisk } from './os.js';

/**
 * A directory for measurements, and files in it as the platform has them: what work costs without the library. It must
 * be removed by its maker, who dies with it left behind.
 */
export class BareFiles {
  readonly directory: string;
  readonly #open: DiskFile[] = [];

  /** `parent` must exist. */
  constructor(parent: string) {
    this.directory = mkdtempSync(join(parent, 'durostore-bench-'));
  }

  create(name: string): DiskFile {
    const file = osDisk.create(join(this.directory, name));
    if (file === undefined) throw new Error(`${name} exists in ${this.directory}`);
    this.#open.push(file);
    return file;
  }

  /** Closes the files, and removes the directory with whatever is in it. */
  remove(): void {
    for (const file of this.#open.splice(0)) file.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Files of other programs, which are only read. All throw what the system says where there is no such file. */
export const foreignFiles = {
  isDirectory: (path: string): boolean => statSync(path).isDirectory(),
  isSame: (one: string, other: string): boolean => realpathSync(one) === realpathSync(other),
  list: (directory: string): string[] => osDisk.list(directory),
  /** Undefined where there is none. The caller closes it. */
  open: (path: string): DiskFile | undefined => osDisk.open(path, 'read'),
  /** From its beginning to its end, also where it is a pipe. */
  stream: (path: string): Readable => createReadStream(path, { fd: openSync(path, 'r') }),
} as const;
