/**
 * The files of a directory as text, byte by byte, so that they can be checked in and looked at:
 *
 *     duro.fate.1 65568
 *       4455524f030100000b1d3f0d8a4c2e6701000000000000000000000007b35c11
 *       * 65536
 *
 * A name with its size, then its bytes in hexadecimal, 32 a line; a line with `*` is so many zeros.
 */
export type Files = ReadonlyMap<string, Buffer>;

const LINE_BYTES = 32;

export function encodeDump(files: Files): string {
  const lines: string[] = [];
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`${name} ${bytes.length}`);
    for (let at = 0; at < bytes.length; ) {
      const zeros = zerosFrom(bytes, at);
      const isRun = zeros >= LINE_BYTES || (zeros > 0 && at + zeros === bytes.length);
      if (!isRun) lines.push(`  ${bytes.toString('hex', at, at + LINE_BYTES)}`);
      else lines.push(`  * ${zeros}`);
      at += isRun ? zeros : LINE_BYTES;
    }
  }
  return `${lines.join('\n')}\n`;
}

export function decodeDump(text: string): Files {
  const files = new Map<string, Buffer>();
  let name = '';
  let parts: Buffer[] = [];
  let size = 0;
  const end = (): void => {
    if (name === '') return;
    const bytes = Buffer.concat(parts);
    if (bytes.length !== size) throw new Error(`${name} has ${bytes.length} bytes and not ${size}`);
    files.set(name, bytes);
  };
  for (const line of text.trimEnd().split('\n')) {
    const head = /^(\S+) (\d+)$/.exec(line);
    const run = /^ {2}\* (\d+)$/.exec(line);
    if (head) {
      end();
      name = head[1] as string;
      size = Number(head[2]);
      parts = [];
    } else parts.push(run ? Buffer.alloc(Number(run[1])) : Buffer.from(line.trim(), 'hex'));
  }
  end();
  return files;
}

function zerosFrom(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at += 1;
  return at - from;
}
