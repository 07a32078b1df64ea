import { syncNow } from '../disk/sync-failure.js';
import { readArchive } from '../store/id-archive.js';
import type { Place } from './place.js';
import type { SideDirectory } from './side-directory.js';

/** An archive of ids that is not whole. */
export interface DamagedArchive {
  readonly path: string;
  readonly size: number;
  /** Behind the last frame that can be read; 0 where there is none. */
  readonly end: number;
}

/** The archives of ids that are damaged. */
export function damagedArchives({ disk, names, storeId }: Place): DamagedArchive[] {
  const damaged: DamagedArchive[] = [];
  for (const name of disk.list(names.directory)) {
    const kind = names.parse(name);
    if (kind?.kind !== 'ids') continue;
    const path = names.ids(kind.number);
    const file = disk.open(path, 'read');
    if (file === undefined) continue;
    try {
      const { end, isWhole } = readArchive(file, storeId, kind.number);
      if (!isWhole) damaged.push({ path, size: file.size(), end });
    } finally {
      file.close();
    }
  }
  return damaged;
}

/** Sets damaged archives aside and cuts them behind what can be read; what was not whole to its header is removed. */
export function mendArchives(
  { disk, names }: Place,
  archives: readonly DamagedArchive[],
  aside: SideDirectory,
): void {
  for (const { path, end } of archives) {
    aside.copy(path);
    if (end === 0) disk.unlink(path);
    else {
      const file = disk.open(path, 'write');
      try {
        file?.truncate(end);
        if (file !== undefined) syncNow(file);
      } finally {
        file?.close();
      }
    }
  }
  if (archives.length > 0) disk.syncDirectoryNow(names.directory);
}
