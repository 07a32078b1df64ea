/** Makes one thumbnail. This module is imported by the worker threads, and its function runs there. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ThreadContext, ThreadMessage } from 'durostore/threads';
import { PNG } from 'pngjs';

export interface Job {
  /** The picture, a PNG file. */
  readonly picture: string;
  /** Where the thumbnail goes. */
  readonly thumbnail: string;
  /** Its longer side has so many pixels, at most. */
  readonly size: number;
}

/** The average colour of a rectangle, channel by channel. */
function average(picture: PNG, left: number, top: number, right: number, bottom: number): number[] {
  const sums = [0, 0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      for (let channel = 0; channel < 4; channel++)
        sums[channel] = (sums[channel] ?? 0) + (picture.data[(y * picture.width + x) * 4 + channel] ?? 0);
    }
  }
  return sums.map((sum) => Math.round(sum / ((right - left) * (bottom - top))));
}

export default async function makeThumbnail(
  { value }: ThreadMessage<Job>,
  context: ThreadContext,
): Promise<void> {
  const picture = PNG.sync.read(await readFile(value.picture));
  const scale = Math.min(1, value.size / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const thumbnail = new PNG({ width, height });

  for (let y = 0; y < height; y++) {
    // Cancelled, or the lease was lost: nobody waits for the rest.
    if (context.signal.aborted) throw context.signal.reason;
    const top = Math.floor((y * picture.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * picture.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * picture.width) / width));
      thumbnail.data.set(average(picture, left, top, right, bottom), (y * width + x) * 4);
    }
    const quarters = Math.floor(((y + 1) * 4) / height);
    if (quarters > Math.floor((y * 4) / height))
      await context.progress({ thumbnail: value.thumbnail, percent: quarters * 25 });
  }

  // Whole or not at all: a thread that dies in the midst leaves no half picture, and the job comes again.
  const unfinished = `${value.thumbnail}.${process.pid}.part`;
  await writeFile(unfinished, PNG.sync.write(thumbnail));
  await rename(unfinished, value.thumbnail);
}
