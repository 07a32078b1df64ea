/**
 * Thumbnails of pictures, made in worker threads: the main thread stays free, and another process watches the progress. See
 * README.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openQueue } from 'durostore';
import { threadHandler } from 'durostore/threads';
import { PNG } from 'pngjs';
import type { Job } from './thumbnail.js';

const SIZE = 96;
const PICTURES = [
  { name: 'landscape', width: 800, height: 450 },
  { name: 'portrait', width: 480, height: 640 },
  { name: 'square', width: 500, height: 500 },
  { name: 'strip', width: 1200, height: 90 },
  { name: 'small', width: 64, height: 32 },
];

/** A picture that goes from black to red to the right, and to green downwards. */
function paint(width: number, height: number): Buffer {
  const png = new PNG({ width, height });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = [(x * 255) / width, (y * 255) / height, 64, 255];
      png.data.set(colour, (y * width + x) * 4);
    }
  }
  return PNG.sync.write(png);
}

const scratch = await mkdtemp(join(tmpdir(), 'durostore-thumbnails-'));
const directory = join(scratch, 'queue');
const thumbnailOf = (name: string): string => join(scratch, `${name}-thumbnail.png`);

const queue = await openQueue<Job>({ directory });
const threads = threadHandler<Job>(new URL('./thumbnail.js', import.meta.url), { threads: 2 });
const watcher = fork(fileURLToPath(new URL('./watcher.js', import.meta.url)), [
  directory,
  String(PICTURES.length),
]);
const watched = once(watcher, 'exit');
const gaveUp = new Promise<never>((_, reject) => {
  queue.on('dead', ({ index, reason }) => reject(new Error(`picture ${index}: ${reason}`)));
});

try {
  await Promise.race([once(watcher, 'message'), watched]);
  for (const { name, width, height } of PICTURES) {
    const picture = join(scratch, `${name}.png`);
    await writeFile(picture, paint(width, height));
    await queue.enqueue({ picture, thumbnail: thumbnailOf(name), size: SIZE });
  }
  console.log(`${await queue.length()} pictures to make smaller`);

  const worker = queue.process(threads, { concurrency: 2, timeoutMs: 60_000 });
  await Promise.race([watched, gaveUp]);
  await worker.close();

  console.log('thumbnails:');
  for (const { name, width, height } of PICTURES) {
    const thumbnail = PNG.sync.read(await readFile(thumbnailOf(name)));
    console.log(`  ${name}: ${width} × ${height} became ${thumbnail.width} × ${thumbnail.height}`);
  }
} finally {
  watcher.kill();
  await queue.close();
  await threads.close();
  await rm(scratch, { recursive: true });
}
