import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRepository(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const above = dirname(from);
  if (above === from) throw new Error('no package.json above the compiled tests');
  return findRepository(above);
}

/** The root of the clone these tests were compiled in. */
export const repository = findRepository(dirname(fileURLToPath(import.meta.url)));

/** The root of the compiled tests, examples and library: `build` unless they were compiled elsewhere. */
export const compiled = fileURLToPath(new URL('../..', import.meta.url));
