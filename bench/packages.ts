import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.js';

/** Packages of bench/package.json, which need not be installed: what is used of them is declared where it is used. */
export async function load(name: string): Promise<unknown> {
  const loader: { load(name: string): Promise<unknown> } = await import(
    pathToFileURL(join(root, 'bench', 'peers', 'load.mjs')).href
  );
  return loader.load(name);
}

/** The version that is installed. */
export function versionOf(name: string): string {
  const file = join(root, 'bench', 'node_modules', name, 'package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
}
