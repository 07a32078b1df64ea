/** What is written in a torture of streams says who wrote it, and the rest of it follows from that. */

/** A record of a transaction: which life's, which transaction, which of its records. */
export interface PartOf {
  readonly kind: 'part';
  readonly life: number;
  readonly number: number;
  readonly part: number;
}

/** A value that was written as a stream. */
export interface StreamOf {
  readonly kind: 'stream';
  readonly life: number;
  readonly number: number;
  readonly size: number;
}

export type Origin = PartOf | StreamOf;

const LONGEST_FILLER = 300;

export function partOf(life: number, number: number, part: number): Buffer {
  const filler = 'x'.repeat((life * 7919 + number * 104_729 + part * 31) % LONGEST_FILLER);
  return Buffer.from(`part ${life} ${number} ${part} ${filler}\n`);
}

const SIZES = { least: 1000, span: 120_000 } as const;

/** Some are small, and most larger than a file of a torture. */
export const sizeOfStream = (life: number, number: number): number =>
  SIZES.least + ((life * 7919 + number * 104_729) % SIZES.span);

export function streamOf(life: number, number: number): Buffer {
  const size = sizeOfStream(life, number);
  const bytes = Buffer.alloc(size, `${life}.${number};`);
  bytes.write(`stream ${life} ${number} ${size}\n`);
  return bytes;
}

/** Whose it is; undefined where nobody can have written it, be it only for one byte. */
export function originOf(data: Uint8Array): Origin | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const words = /^(part|stream) (\d{1,9}) (\d{1,9}) (\d{1,9})[ \n]/.exec(bytes.toString('latin1', 0, 60));
  if (words === null) return undefined;
  const kind = words[1];
  const [life = 0, number = 0, last = 0] = words.slice(2).map(Number);
  if (kind === 'part' && partOf(life, number, last).equals(bytes)) return { kind, life, number, part: last };
  if (kind === 'stream' && streamOf(life, number).equals(bytes)) return { kind, life, number, size: last };
  return undefined;
}
