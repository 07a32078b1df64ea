import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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
