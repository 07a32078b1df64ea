import type { DiskFile } from '../disk/disk.js';
import { makeOwn } from '../disk/own-file.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { placeOf } from '../frame/frame.js';
import { encodeSeal } from '../segment/seal.js';
import { canFill, fillerOf } from './filler.js';
import type { Place } from './place.js';
import type { SegmentAudit } from './segment-audit.js';
import { changesData, planOf, type SegmentPlan } from './segment-plan.js';
import type { SideDirectory } from './side-directory.js';
import type { Survey } from './survey.js';

/** Copies aside whatever `mendSegments` is going to change. */
export async function setSegmentsAside(
  survey: Survey,
  aside: SideDirectory,
  alone: () => Promise<void>,
): Promise<void> {
  for (const [at, segment] of survey.segments.entries()) {
    await alone();
    const { path, holes, size } = segment;
    const plan = planOf(survey, at);
    if (plan.whole !== 'keep') {
      if (size > 0) aside.copy(path);
      continue;
    }
    if (plan.header) aside.copy(path, 0, HEADER_BYTES);
    if (plan.holes)
      for (const hole of holes)
        if (canFill(hole, segment.isSparse)) aside.copy(path, hole.position, hole.bytes);
    if (plan.seal !== undefined && size > plan.seal.end) aside.copy(path, plan.seal.end);
  }
}

/**
 * Makes segments whole: headers, bad bytes, ends. Under every lock, when the facts that tell of what is lost are on the
 * device. Each step can be done again: what was mended needs no mending, what was begun is still bad.
 */
export async function mendSegments(
  survey: Survey,
  wallTime: number,
  alone: () => Promise<void>,
): Promise<void> {
  const { place, segments } = survey;
  // What is whole is on the device before a filler says so.
  await syncSegments(survey, alone);
  for (const [at, segment] of segments.entries()) {
    await alone();
    const plan = planOf(survey, at);
    if (plan.whole === 'remove') {
      // Entries first, as the sweeper does, so that what is left still tells of the segment.
      place.disk.unlink(place.entriesPath(segment.first));
      place.disk.unlink(segment.path);
      place.disk.syncDirectoryNow(place.names.directory);
    } else if (changesData(plan)) {
      makeOwn(place.disk, place.names, segment.path);
      const file = place.disk.open(segment.path, 'write');
      if (file === undefined) continue;
      try {
        mend(survey, segment, plan, file, wallTime, timeBefore(segments, at));
      } finally {
        file.close();
      }
    }
  }
}

/** Brings to the device what is in the segments. */
export async function syncSegments({ place, segments }: Survey, alone: () => Promise<void>): Promise<void> {
  for (const { path } of segments) {
    await alone();
    sync(place, path);
  }
  place.disk.syncDirectoryNow(place.names.directory);
}

function sync({ disk }: Place, path: string): void {
  const file = disk.open(path, 'write');
  try {
    if (file !== undefined) syncNow(file);
  } finally {
    file?.close();
  }
}

function mend(
  { place }: Survey,
  segment: SegmentAudit,
  plan: SegmentPlan,
  file: DiskFile,
  wallTime: number,
  before: number,
): void {
  if (plan.whole === 'empty') {
    file.truncate(0);
    syncNow(file);
  }
  if (plan.header) writeFully(file, place.dataHeader(segment.first), HEADER_BYTES, 0);
  const lastTime = Math.max(segment.time, before);
  const firstTime = Math.max(segment.firstTime ?? lastTime, before);
  for (const hole of segment.holes) {
    if (!canFill(hole, segment.isSparse)) continue;
    const time = Math.max(hole.time, before, hole.from === segment.first ? firstTime : 0);
    writeFully(file, fillerOf({ ...hole, time }, place.salt, segment.isSparse), hole.bytes, hole.position);
  }
  if (plan.seal === undefined) {
    syncNow(file);
    return;
  }
  const { end, next, continuesAt } = plan.seal;
  // The cut is on the device before anything is written in its place.
  file.truncate(end);
  syncNow(file);
  const time = Math.max(Math.floor(wallTime), lastTime);
  const seal = encodeSeal(placeOf(place.salt, end), continuesAt, time, Math.min(segment.safe, next - 1), {
    count: next - segment.first,
    firstTime,
    lastTime,
    greatestTime: lastTime,
    marked: segment.isMarked || segment.holes.length > 0,
  });
  writeFully(file, seal, seal.length, end);
  syncNow(file);
}

/** Times never go backwards in a store: this is the greatest one before a segment. */
const timeBefore = (segments: readonly SegmentAudit[], at: number): number =>
  Math.max(0, ...segments.slice(0, at).map(({ time }) => time));
