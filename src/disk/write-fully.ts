import type { DiskFile } from './disk.js';

/** Writes all the bytes, however few the file takes at a time. Throws what the disk throws, part being written. */
export function writeFully(
  file: Pick<DiskFile, 'write'> & { readonly path?: string },
  bytes: Uint8Array,
  length: number,
  position: number,
): void {
  let done = 0;
  while (done < length) {
    const taken = file.write(bytes, done, length - done, position + done);
    if (taken <= 0)
      throw Object.assign(new Error(`${file.path ?? 'a file'}: the disk takes no more bytes`), {
        code: 'EIO',
      });
    done += taken;
  }
}
