import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `work` in a new directory below `parent`, and removes it however this program ends, but by SIGKILL. */
export async function inDirectory<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'durostore-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const leave = (): void => process.exit(130);
  process.once('exit', remove);
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  try {
    return await work(directory);
  } finally {
    process.removeListener('SIGINT', leave);
    process.removeListener('SIGTERM', leave);
    process.removeListener('exit', remove);
    remove();
  }
}
