import { posix } from 'node:path';
import ts from 'typescript';

/**
 * The floors of the house, the lowest first. A name ending in `.ts` is a file at the root of `src`, any other a
 * folder. What stands on one floor does not know its neighbours.
 */
export const floors: readonly (readonly string[])[] = [
  ['errors.ts', 'clock.ts', 'abort.ts'],
  ['disk'],
  ['epoch'],
  ['lock', 'frame'],
  ['segment', 'journal'],
  ['indexer'],
  ['store'],
  ['queue', 'care'],
  ['stream'],
  ['mod.ts', 'memory'],
  ['cli', 'threads'],
];

/** Who uses the library as everybody does: what they may import beside themselves and packages. */
const users: ReadonlyMap<string, readonly string[]> = new Map([
  ['cli', ['mod.ts', 'disk/bare-files.ts']],
  ['threads', ['mod.ts']],
]);

/** The only place that may touch the file system, and the modules by which one would. */
const fileSystemFolder = 'disk';
const fileSystemModules = /^((node:)?fs(\/promises)?|graceful-fs|fs-extra)$/;

/** The part of the house a source file belongs to: its folder under `src`, or itself. */
function partOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function floorOf(part: string): number {
  return floors.findIndex((parts) => parts.includes(part));
}

/**
 * What is wrong with the imports of sources, given by their path from `src` with forward slashes. Imports count in
 * every form: types, re-exports and `import()` among them. One line for each violation; none means the house stands.
 */
export function violations(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([path, text]) => {
    const from = partOf(path);
    const floor = floorOf(from);
    if (floor === -1) return [`${path}: '${from}' is not in the table of floors`];
    return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName: specifier }) => {
      if (fileSystemModules.test(specifier)) {
        return from === fileSystemFolder ? [] : [`${path}: imports ${specifier}, which only 'disk' may`];
      }
      if (specifier === 'durostore' || specifier.startsWith('durostore/')) {
        return [`${path}: imports ${specifier}, which stands above everything`];
      }
      if (!specifier.startsWith('.')) return [];
      const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
      const to = partOf(target);
      if (to === from) return [];
      const targetFloor = floorOf(to);
      if (targetFloor === -1) return [`${path}: imports ${specifier}, which is not in the table of floors`];
      if (users.get(from)?.includes(target) === false)
        return [`${path}: imports ${specifier}, past the public contract`];
      if (targetFloor > floor) return [`${path}: imports ${specifier}, upwards`];
      if (targetFloor === floor) return [`${path}: imports ${specifier}, sideways`];
      return [];
    });
  });
}
