import { HEADER_BYTES } from '../frame/file-header.js';
import type { Fates } from '../journal/fates.js';
import { ENTRY_BYTES } from '../segment/entry.js';
import { describeDiskError } from './disk-errors.js';
import type { Engine } from './engine.js';

export interface StoreStats {
  /** Records there are. */
  length: number;
  /** Bytes on disk, space prepared ahead not counted. */
  bytes: number;
  /** Bytes of zeros that were written ahead of the records and facts. */
  preparedBytes: number;
  /** Segments. */
  files: number;
  firstIndex: number;
  nextIndex: number;
  /** Everything up to it is known to be on the device. */
  syncedIndex: number;
  /** Records lost to power cuts; none of them was ever synced. */
  lost: number;
  /** Cuts made by recovery whose bytes were set aside. */
  cuts: number;
  /** What keeps segments from being removed: their first record that is still there. */
  pinnedBy: readonly { file: string; index: number; why: PinReason }[];
}

export type PinReason = 'waiting' | 'claimed' | 'delayed' | 'dead' | 'consumer' | 'ids';

export const readStats = (engine: Engine): StoreStats => counting(engine, () => statsOf(engine));

export const sizeOf = (engine: Engine): number =>
  counting(engine, () => {
    engine.sweeper.forgetAll();
    return measure(engine).bytes;
  });

/** The directory may be gone, or out of reach. */
function counting<T>(engine: Engine, count: () => T): T {
  try {
    return engine.files.descriptors.withRoom(count);
  } catch (error) {
    throw describeDiskError(error, 'looking at the files');
  }
}

function statsOf(engine: Engine): StoreStats {
  const { tail, fates } = engine;
  engine.sweeper.forgetAll();
  const { prepared, bytes } = measure(engine);
  let cuts = 0;
  for (const name of engine.disk.list(engine.names.directory)) {
    if (engine.names.parse(name)?.kind === 'cut') cuts += 1;
  }
  return {
    length: engine.length,
    bytes,
    preparedBytes: prepared,
    files: tail.segments.length,
    firstIndex: engine.firstIndex,
    nextIndex: tail.nextIndex,
    syncedIndex: Math.min(tail.safe, tail.nextIndex - 1),
    lost: fates.lostSet.count,
    cuts,
    pinnedBy: pins(engine),
  };
}

function measure(engine: Engine): { bytes: number; prepared: number } {
  const { tail, files, journal } = engine;
  let bytes = 0;
  let prepared = 0;
  for (const first of tail.segments) {
    const size = files.data(first)?.size() ?? 0;
    const next = tail.segments.after(first);
    if (next === undefined) {
      bytes += Math.min(size, tail.end) + HEADER_BYTES + (tail.nextIndex - first) * ENTRY_BYTES;
      prepared += Math.max(0, size - tail.end);
    } else {
      bytes += size + (files.entries(first)?.size() ?? 0);
    }
  }
  return { bytes: bytes + journal.end, prepared: prepared + journal.preparedBytes };
}

/** Segments other than the last that are kept for the sake of a record. */
function pins(engine: Engine): StoreStats['pinnedBy'] {
  const { tail, fates, files, options, retention } = engine;
  const mayBeConsumed = options.retention.consumed && fates.consumers.size > 0;
  const found: { file: string; index: number; why: PinReason }[] = [];
  for (const first of tail.segments) {
    const next = tail.segments.after(first);
    if (next === undefined) break;
    const index = fates.goneSet.firstAbsent(first);
    if (index >= next) continue;
    // Whatever became of its records, it would go.
    const isAwaited = mayBeConsumed && !retention.isConsumed(first);
    const why = isAwaited ? 'consumer' : whyPinned(fates, index);
    found.push({ file: files.dataPath(first), index, why });
  }
  return found;
}

function whyPinned(fates: Fates, index: number): PinReason {
  if (fates.claims.get(index)?.expired === false) return 'claimed';
  if (fates.dead.has(index)) return 'dead';
  return fates.attemptedOf(index)?.isPutOff === true ? 'delayed' : 'waiting';
}
