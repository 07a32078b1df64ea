/**
 * Makes a clone ready: the packages of package-lock.json in node_modules, the library compiled to dist/, the library
 * with its tests, examples and benchmarks compiled to build/. Says nothing when there is nothing to do. It runs before
 * anything is installed, so it imports nothing but Node's own modules.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is compiled: `sources` are the folders that the project includes, `strip` is what outputs leave out of their path. */
const targets = [
  {
    project: 'tsconfig.json',
    output: 'dist',
    sources: ['src'],
    strip: 'src/',
    endings: ['.js', '.js.map', '.d.ts', '.d.ts.map'],
    buildInfo: 'build/dist.tsbuildinfo',
  },
  {
    project: 'tsconfig.build.json',
    output: 'build',
    sources: ['src', 'test', 'examples', 'bench'],
    strip: '',
    endings: ['.js', '.js.map'],
    buildInfo: 'build/build.tsbuildinfo',
  },
];
const stampFile = 'build/ready.json';

/** Runs a command in the clone; resolves with what it printed, and its exit code. */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 1, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for. Compared by content, since the times of a fresh checkout
 * say nothing; packages for other platforms may be missing.
 */
function installed() {
  const wanted = readJson('package-lock.json')?.packages ?? {};
  const found = readJson('node_modules/.package-lock.json')?.packages;
  if (found === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const have = found[path];
    if (have === undefined) return entry.optional === true || entry.devOptional === true;
    return have.version === entry.version && have.integrity === entry.integrity;
  });
}

async function install() {
  if (installed()) return;
  console.log('Installing packages (npm ci)');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  // npm tells its scripts where it is; started bare, the shell finds it (npm.cmd on Windows).
  const npm = process.env.npm_execpath;
  const { code, output } =
    npm !== undefined && basename(npm) === 'npm-cli.js'
      ? await run(process.execPath, [npm, ...args])
      : await run(`npm ${args.join(' ')}`, [], { shell: true });
  if (code !== 0) fail('npm ci failed', output);
}

/** Every file of ours below a folder of the clone, as paths from its root with forward slashes. */
function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function sourcesOf(target) {
  return target.sources
    .flatMap(filesBelow)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort();
}

function outputsOf(target) {
  return new Set(
    sourcesOf(target).flatMap((source) => {
      const stem = source.slice(target.strip.length, -'.ts'.length);
      return target.endings.map((ending) => `${target.output}/${stem}${ending}`);
    }),
  );
}

/** Changes whenever compiling could give another result. */
function fingerprint(target) {
  const hash = createHash('sha256');
  for (const path of [
    'tsconfig.json',
    target.project,
    'package.json',
    'package-lock.json',
    ...sourcesOf(target),
  ]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Removes outputs whose source is gone: the runner finds tests by their compiled files. */
function removeStale(target) {
  const expected = outputsOf(target);
  for (const path of filesBelow(target.output)) {
    if (/\.(js|d\.ts)(\.map)?$/.test(path) && !expected.has(path)) rmSync(join(root, path));
  }
  removeEmptyFolders(join(root, target.output));
}

function removeEmptyFolders(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) removeEmptyFolders(path);
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

async function compile() {
  const stamp = readJson(stampFile) ?? {};
  const due = targets
    .map((target) => ({ target, print: fingerprint(target) }))
    .filter(({ target, print }) => {
      const complete = [...outputsOf(target)].every((path) => existsSync(join(root, path)));
      // The compiler believes its own notes and would not write again what somebody removed.
      if (!complete) rmSync(join(root, target.buildInfo), { force: true });
      return !complete || stamp[target.project] !== print;
    });
  for (const target of targets) removeStale(target);
  if (due.length === 0) return;

  console.log(`Compiling to ${due.map(({ target }) => `${target.output}/`).join(' and ')}`);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const results = await Promise.all(
    due.map(({ target }) =>
      run(process.execPath, [
        compiler,
        '-p',
        target.project,
        '--pretty',
        String(process.stdout.isTTY === true),
      ]),
    ),
  );
  results.forEach(({ code }, number) => {
    const { target, print } = due[number];
    if (code === 0) stamp[target.project] = print;
    else delete stamp[target.project];
  });
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(join(root, stampFile), `${JSON.stringify(stamp, undefined, 2)}\n`);
  const failed = results.filter(({ code }) => code !== 0);
  if (failed.length > 0) fail('Compiling failed', failed.map(({ output }) => output).join('\n'));
}

function fail(what, output) {
  console.error(`${what}\n\n${output}`);
  process.exit(1);
}

await install();
await compile();
