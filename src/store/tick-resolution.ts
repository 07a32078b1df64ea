import { Fenced } from '../epoch/fenced.js';
import { CorruptError } from '../errors.js';
import { findMark, Mark } from '../frame/marks.js';
import { MAX_UINT48, readUint48, writeUint48 } from '../frame/uint48.js';
import type { Tick } from '../journal/schedules.js';
import type { Engine } from './engine.js';

const TIME_BYTES = 6;

/** What a record's mark of the tick that it is holds. */
export function tickMark(name: string, time: number): Buffer {
  const bytes = Buffer.alloc(TIME_BYTES + Buffer.byteLength(name));
  writeUint48(bytes, Math.min(time, MAX_UINT48), 0);
  bytes.write(name, TIME_BYTES);
  return bytes;
}

/**
 * Under the fate lock, caught up, before anything else is decided: says of each tick whose process died over it whether it was
 * enqueued. ⚑ So no fact ends or moves a record that may be such a tick, and its segment is there to look into. Who enqueues a
 * tick has this lock from before it says so until the record is written: if the record is not there now, it never will be.
 *
 * Nothing may be decided and not yet committed. Throws Fenced.
 */
export function resolveTicks(engine: Engine): void {
  const { journal, fates, tail, clock } = engine;
  const unresolved = fates.schedules.unresolved();
  if (unresolved.length === 0) return;
  tail.catchUp();
  if (tail.isFenced) throw new Fenced();
  const outcomes = unresolved.map(([name, tick]) => ({ name, isThere: isRecordOf(engine, name, tick) }));
  const facts = journal.begin();
  for (const { name, isThere } of outcomes) {
    if (isThere) facts.ticked(name);
    else facts.unticked(name);
  }
  journal.decided(clock.now());
  journal.commit();
}

function isRecordOf(engine: Engine, name: string, { time, index }: Tick): boolean {
  if (index >= engine.tail.nextIndex) return false;
  let mark: Uint8Array | undefined;
  try {
    const record = engine.readKnown(index);
    // Gone by a fact of who did not ask: it was there.
    if (record === undefined) return !engine.fates.lostSet.has(index);
    mark = findMark(record.marks, Mark.tick);
  } catch (error) {
    // What cannot be read any more may have been it. Who gets to it is told of the damage; nobody is told twice of a tick.
    if (error instanceof CorruptError) return true;
    throw error;
  }
  if (mark === undefined || mark.length < TIME_BYTES) return false;
  return readUint48(mark, 0) === time && Buffer.from(mark.subarray(TIME_BYTES)).toString() === name;
}
