import type { Disk, DiskFile } from './disk.js';
import { writeFully } from './write-fully.js';

const SLICE_BYTES = 1024 * 1024;

/**
 * Copies the bytes of a file below `end`, or as many as there are, into one that is empty. Yields where others may have a turn of the
 * event loop.
 */
export function* copyBytes(
  from: DiskFile,
  to: DiskFile,
  end = Number.POSITIVE_INFINITY,
): Generator<undefined, void> {
  const bytes = Buffer.allocUnsafe(Math.min(SLICE_BYTES, Math.max(1, end)));
  for (let at = 0; at < end; ) {
    const length = from.read(bytes, 0, Math.min(bytes.length, end - at), at);
    if (length === 0) return;
    writeFully(to, bytes, length, at);
    at += length;
    yield;
  }
}

/** What `link` answers where a file cannot have a second name there, for whatever reason: then it is copied. */
const CANNOT_LINK: ReadonlySet<unknown> = new Set([
  'EPERM',
  'EACCES',
  'EXDEV',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/** Gives a file a second name; 'taken' where somebody has it, 'missing' where there is no such file, 'unable' where that cannot be. */
export function tryLink(disk: Disk, from: string, to: string): 'linked' | 'taken' | 'missing' | 'unable' {
  try {
    return disk.link(from, to) ? 'linked' : 'taken';
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT') return 'missing';
    if (CANNOT_LINK.has(code)) return 'unable';
    throw error;
  }
}
