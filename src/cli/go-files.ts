import { join } from 'node:path';
import { foreignFiles } from '../disk/bare-files.js';
import { DurostoreError } from '../mod.js';
import { goConfiguration } from './go-configuration.js';

/** Where a Go Durostore is: its files are PREFIX_NNN.dat and PREFIX_NNN.idx. */
export interface GoPlace {
  readonly directory: string;
  readonly filePrefix: string;
  /** The NNN of its files, ascending. */
  readonly numbers: readonly number[];
}

const NAME = /^(.*)_([0-9]{3,})\.(?:idx|dat)$/s;

export const goFileName = (filePrefix: string, number: number, extension: 'idx' | 'dat'): string =>
  `${filePrefix}_${String(number).padStart(3, '0')}.${extension}`;

/**
 * Finds the store by its directory or its configuration file; `wanted` is its prefix, which a directory need not be told where
 * it has one store. INVALID_OPTION where there is none, or several to choose from. A directory in a configuration counts from the
 * working directory, as it does in Go.
 */
export async function goPlace(path: string, wanted: string | undefined): Promise<GoPlace> {
  if (foreignFiles.isDirectory(path)) return placeIn(path, wanted);
  const { directory, filePrefix } = goConfiguration(await textFrom(path), path);
  return placeIn(directory, wanted ?? filePrefix);
}

async function textFrom(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of foreignFiles.stream(path) as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function placeIn(directory: string, wanted: string | undefined): GoPlace {
  const found = new Map<string, Set<number>>();
  for (const name of foreignFiles.list(directory)) {
    const [, prefix = '', digits = ''] = NAME.exec(name) ?? [];
    if (digits === '' || String(Number(digits)).padStart(3, '0') !== digits) continue;
    found.set(prefix, (found.get(prefix) ?? new Set()).add(Number(digits)));
  }
  const [first, ...others] = found.keys();
  const filePrefix = wanted ?? first;
  const numbers = filePrefix === undefined ? undefined : found.get(filePrefix);
  if (filePrefix === undefined || numbers === undefined)
    throw invalid(
      `there are no files of a Go Durostore in ${directory} (${wanted ?? 'PREFIX'}_001.idx). Give the directory or configuration, and the file_prefix, that it was loaded with`,
    );
  if (wanted === undefined && others.length > 0)
    throw invalid(
      `there are several in ${directory}. Give one of their prefixes: --go-prefix ${[...found.keys()].join(' | ')}`,
    );
  const inOrder = [...numbers].sort((one, other) => one - other);
  return { directory, filePrefix, numbers: inOrder };
}

/** INVALID_OPTION where a new store would come into the directory of the old one, which nobody is to change. */
export function assertElsewhere(place: GoPlace, directory: string): void {
  if (isSame(place.directory, directory))
    throw invalid(
      `${directory} is the directory that is imported, in which nothing is to change. Import into another one`,
    );
}

function isSame(one: string, other: string): boolean {
  try {
    return foreignFiles.isSame(one, other);
  } catch {
    return false;
  }
}

const invalid = (what: string): DurostoreError =>
  new DurostoreError('INVALID_OPTION', `durostore-go: ${what}`);

export const goPath = ({ directory }: GoPlace, name: string): string => join(directory, name);
