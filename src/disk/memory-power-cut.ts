import type { GrowingBytes } from './memory-bytes.js';
import { below, type Random } from './memory-random.js';

/**
 * What a power cut does to what was not synced. Within each file and each directory `random` keeps any subset of the
 * changes, in their order; which, is decided by the machine's seed, or by the one given here.
 */
export interface PowerCut {
  readonly writes: 'keep' | 'lose' | 'random';
  /** A function says of each change by its place, from 0 on, among those of a directory that are not on the device. */
  readonly names: 'keep' | 'lose' | 'random' | ((place: number) => boolean);
  /** Where a write that is kept only in part may break, with `writes: 'random'`. Default 'sector'. */
  readonly tear?: 'none' | 'sector' | 'byte';
  /** Whether the missing part of a torn write may be garbage instead of what was there before. Default false. */
  readonly garble?: boolean;
  /** Whether a file keeps the size that lost writes gave it, as zeros. Default 'lose'. */
  readonly sizes?: 'keep' | 'lose' | 'random';
  readonly seed?: number;
}

/** A change to a file that is not on the device yet. */
export type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

const SECTOR = 512;

export function apply(change: Change, to: GrowingBytes): void {
  if (change.kind === 'write') to.write(change.bytes, change.position);
  else to.resize(change.size);
}

/** Applies to what is on the device those of the changes that the power cut lets through. */
export function survive(
  changes: readonly Change[],
  device: GrowingBytes,
  cut: PowerCut,
  random: Random,
): void {
  const likelihood = cut.writes === 'random' ? pick(LIKELIHOODS, random) : Number(cut.writes === 'keep');
  for (const change of changes) {
    if (random() < likelihood) apply(change, device);
    else if (change.kind === 'write') lose(change, device, cut, random);
  }
}

/** Of a hundred changes an even chance never loses just one. */
const LIKELIHOODS = [0, 0.1, 0.5, 0.9, 1] as const;

function lose(
  write: Extract<Change, { kind: 'write' }>,
  device: GrowingBytes,
  cut: PowerCut,
  random: Random,
): void {
  const { position, bytes } = write;
  const tear = cut.tear ?? 'sector';
  if (cut.writes === 'random' && tear !== 'none' && random() < 0.5) {
    for (const part of parts(position, bytes.length, tear, random)) {
      if (part.kept) device.write(bytes.subarray(part.from, part.to), position + part.from);
      else if (cut.garble && random() < 0.5)
        device.write(garbage(part.to - part.from, random), position + part.from);
    }
  }
  const sizes = cut.sizes ?? 'lose';
  const end = position + bytes.length;
  if (end > device.size && (sizes === 'keep' || (sizes === 'random' && random() < 0.5))) device.resize(end);
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly kept: boolean;
}

/** The beginning kept, or the end, or any sectors: the pages of one write reach the device in any order. */
function parts(position: number, length: number, tear: 'sector' | 'byte', random: Random): Part[] {
  const kind = random();
  if (tear === 'byte' || kind < 0.7) {
    const place = below(random, length + 1);
    const edge = tear === 'byte' ? place : Math.max(0, place - ((position + place) % SECTOR));
    const beginning = kind < 0.5;
    return [
      { from: 0, to: edge, kept: beginning },
      { from: edge, to: length, kept: !beginning },
    ];
  }
  const sectors: Part[] = [];
  let from = 0;
  while (from < length) {
    const to = Math.min(length, from + SECTOR - ((position + from) % SECTOR));
    sectors.push({ from, to, kept: random() < 0.5 });
    from = to;
  }
  return sectors;
}

function garbage(length: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = below(random, 256);
  return bytes;
}

function pick<T>(from: readonly [T, ...T[]], random: Random): T {
  return from[below(random, from.length)] ?? from[0];
}
