/**
 * Writes a value of a gibibyte as a stream and reads it, each in a process of its own, and tells how much memory that took and how
 * fast it was, beside a bare file that is written and read in the same run. Takes the number of mebibytes, and where to do it.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIB = 1024 * 1024;
/** Nobody may take more. */
const MOST_BYTES = 100e6;
const KEY = { id: 'large', key: Buffer.alloc(32, 7) };

const mebibytes = Number(process.argv[2] ?? 1024);
const parent = process.argv[3] ?? tmpdir();
const [what, directory] = process.argv.slice(4);

/** A piece of its own each time, as most sources have it, with its number in each of its pages. */
async function* source() {
  const noise = randomBytes(MIB);
  for (let at = 0; at < mebibytes; at++) {
    const piece = Buffer.from(noise);
    for (let page = 0; page < MIB; page += 4096) piece.writeUInt32LE(at * 256 + page / 4096, page);
    yield piece;
  }
}

/** Sees all bytes, in pieces of any length, and that they are those of the source. */
class Seen {
  bytes = 0;

  add(piece) {
    for (let at = (4096 - (this.bytes % 4096)) % 4096; at + 4 <= piece.length; at += 4096) {
      const page = (this.bytes + at) / 4096;
      if (Buffer.from(piece.buffer, piece.byteOffset + at, 4).readUInt32LE() !== page)
        throw new Error(`page ${page} is not the one that was written`);
    }
    this.bytes += piece.length;
  }

  end() {
    if (this.bytes !== mebibytes * MIB) throw new Error(`${this.bytes} bytes were read`);
  }
}

const bare = () => join(directory, 'bare');

async function store(transforms) {
  const { openStore } = await import('../build/src/mod.js');
  return openStore({ directory: join(directory, transforms ? 'sealed' : 'plain'), transforms });
}

async function write(transforms) {
  const one = await store(transforms);
  await one.writeStream(source());
  await one.close();
}

async function read(transforms) {
  const one = await store(transforms);
  const seen = new Seen();
  for await (const piece of await one.readStream(1)) seen.add(piece);
  seen.end();
  await one.close();
}

const encrypted = async () => [(await import('../build/src/mod.js')).encrypt(KEY)];

const works = {
  'bare file, written': async () => {
    const file = openSync(bare(), 'w');
    for await (const piece of source()) writeSync(file, piece);
    fdatasyncSync(file);
    closeSync(file);
  },
  writeStream: () => write(undefined),
  'writeStream, encrypted': async () => write(await encrypted()),
  'bare file, read': () => {
    const file = openSync(bare(), 'r');
    const seen = new Seen();
    const piece = Buffer.alloc(MIB);
    for (let count = readSync(file, piece); count > 0; count = readSync(file, piece))
      seen.add(piece.subarray(0, count));
    seen.end();
    closeSync(file);
  },
  readStream: () => read(undefined),
  'readStream, encrypted': async () => read(await encrypted()),
};

/** Runs one of them in a process of its own; resolves with its seconds, and the most memory that it had. */
function measured(name, inDirectory) {
  return new Promise((resolve, reject) => {
    const args = [mebibytes, parent, name, inDirectory].map(String);
    const child = fork(fileURLToPath(import.meta.url), args);
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${name}: ended with ${code}`)));
  });
}

if (what === undefined) {
  const place = mkdtempSync(join(parent, 'durostore-large-value-'));
  try {
    for (const name of Object.keys(works)) {
      const { seconds, peakBytes } = await measured(name, place);
      const speed = Math.round((mebibytes * MIB) / 1e6 / seconds);
      console.log(
        `${name.padEnd(24)} ${String(speed).padStart(6)} MB/s, at most ${Math.round(peakBytes / 1e6)} MB`,
      );
      if (peakBytes > MOST_BYTES) process.exitCode = 1;
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
} else {
  const from = performance.now();
  await works[what]();
  const seconds = (performance.now() - from) / 1000;
  process.send({ seconds, peakBytes: process.resourceUsage().maxRSS * 1024 });
  process.disconnect();
}
