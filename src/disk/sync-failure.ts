import type { DiskFile } from './disk.js';

/**
 * A sync failed. Unlike a failed write it cannot be taken back: the system may call the lost pages clean, and the next
 * sync would succeed without them. Whoever catches it must see to it that nobody calls those bytes synced.
 */
export class SyncFailure extends Error {
  override readonly name = 'SyncFailure';

  constructor(path: string, cause: unknown) {
    super(`syncing ${path} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Resolves when the file's bytes are on the device. Rejects with SyncFailure. */
export async function syncLater(file: DiskFile): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    throw new SyncFailure(file.path, error);
  }
}

/** Waits in the calling thread until the file's bytes are on the device. Throws SyncFailure. */
export function syncNow(file: DiskFile): void {
  try {
    file.syncNow();
  } catch (error) {
    throw new SyncFailure(file.path, error);
  }
}
