import { crc32 } from 'node:zlib';

/** A line of `duro.meta` or of a take-over that somebody changed, with the checksum that it would have been written with. */
export function summedAnew(line: string): Buffer {
  const summed = line.replace(/,"sum":"[^"]*"\}\n$/, '').replace(/\}\n$/, '');
  return Buffer.from(`${summed},"sum":"${crc32(summed).toString(16).padStart(8, '0')}"}\n`);
}
