import { join } from 'node:path';
import type { Disk } from '../disk/disk.js';
import type { FileKind, FileNames } from '../disk/file-names.js';
import { assertKnownHeader, HEADER_BYTES } from '../frame/file-header.js';

const WITH_HEADER: ReadonlySet<FileKind['kind']> = new Set([
  'data',
  'entries',
  'sparse-data',
  'sparse-entries',
  'fate',
  'ids',
]);

/**
 * ⚑ UNSUPPORTED_VERSION where any file is of a later version, or uses what this one does not know: looked for before
 * anything in the directory is mended, completed or removed, which nobody can do right who cannot read all of it.
 */
export function assertKnownFiles(disk: Disk, names: FileNames): void {
  const header = Buffer.alloc(HEADER_BYTES);
  for (const name of disk.list(names.directory)) {
    const kind = names.parse(name)?.kind;
    if (kind === undefined || !WITH_HEADER.has(kind)) continue;
    const file = disk.open(join(names.directory, name), 'read');
    try {
      if (file !== undefined) assertKnownHeader(header, file.read(header, 0, HEADER_BYTES, 0), file.path);
    } finally {
      file?.close();
    }
  }
}
