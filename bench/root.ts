import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function above(directory: string): string {
  if (existsSync(join(directory, 'bench', 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('no bench/package.json above the compiled benchmark');
  return above(parent);
}

/** The clone that this was compiled in. */
export const root = above(dirname(fileURLToPath(import.meta.url)));
