/** The job of this example: an inventory of the packages installed in a `node_modules` directory. */
import { createHash } from 'node:crypto';
import { type Dirent, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';

/** What the producers enqueue: where a package is, from `node_modules` on, with forward slashes. */
export interface Task {
  readonly path: string;
}

/** What the consumers find out about a package. Nested packages are packages of their own. */
export interface Facts {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly files: number;
  readonly bytes: number;
  /** SHA-256 over the names and contents of all files. */
  readonly digest: string;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** How many files of a package are read at a time. */
const reading = new PQueue({ concurrency: 4 });

function entriesOf(directory: string): Dirent[] {
  return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The manifest in a directory; undefined where there is none that names a package and its version. */
async function readManifest(directory: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, 'package.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { name, version, license } = JSON.parse(text) as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof version !== 'string') return undefined;
  return { name, version, licence: typeof license === 'string' ? license : 'not stated' };
}

/** The paths of all packages in a `node_modules` directory, scoped and nested ones among them. */
export async function findPackages(nodeModules: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of entriesOf(join(nodeModules, prefix))) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const path = prefix + entry.name;
    if (entry.name.startsWith('@')) {
      found.push(...(await findPackages(nodeModules, `${path}/`)));
      continue;
    }
    if ((await readManifest(join(nodeModules, path))) !== undefined) found.push(path);
    const hasNested = entriesOf(join(nodeModules, path)).some(({ name }) => name === 'node_modules');
    if (hasNested) found.push(...(await findPackages(nodeModules, `${path}/node_modules/`)));
  }
  return found;
}

function filesOf(directory: string, prefix = ''): string[] {
  return entriesOf(join(directory, prefix)).flatMap((entry) => {
    const path = prefix + entry.name;
    if (entry.isFile()) return [path];
    return entry.isDirectory() && entry.name !== 'node_modules' ? filesOf(directory, `${path}/`) : [];
  });
}

/** Reads every file of a package. */
export async function inspectPackage(nodeModules: string, path: string): Promise<Facts> {
  const directory = join(nodeModules, path);
  const manifest = await readManifest(directory);
  if (manifest === undefined) throw new Error(`${path} is no package any more`);
  const files = filesOf(directory);
  const contents = await Promise.all(
    files.map((file) =>
      reading.add(async () => {
        const bytes = await readFile(join(directory, file));
        return { size: bytes.length, digest: createHash('sha256').update(bytes).digest('hex') };
      }),
    ),
  );
  const digest = createHash('sha256');
  contents.forEach((content, number) => {
    digest.update(`${files[number]}\0${content.digest}\n`);
  });
  return {
    path,
    ...manifest,
    files: files.length,
    bytes: contents.reduce((sum, { size }) => sum + size, 0),
    digest: digest.digest('hex'),
  };
}

/** The file for the facts about a package. One package, one name: whoever does it again writes the same file. */
export function resultFile(results: string, path: string): string {
  return join(results, `${encodeURIComponent(path)}.json`);
}
