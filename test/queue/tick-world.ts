import type { Test } from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { findMark, Mark } from '../../src/frame/marks.js';
import { readUint48 } from '../../src/frame/uint48.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { Engine } from '../../src/store/engine.js';
import type { MovedClock } from '../store/moved-clock.js';
import { settle } from './settle.js';

export const DIRECTORY = '/q';
/** Where clocks that are moved begin. */
export const START = Date.UTC(2030, 0, 1);

/** A tick as it stands in the log. */
export interface WrittenTick {
  readonly name: string;
  readonly time: number;
}

/** Opens a queue as a process of its own would. */
export function openOn(
  disk: MemoryOpener,
  clock: MovedClock,
  options: Partial<QueueOptions<string>> = {},
  limits?: JournalLimits,
): Promise<Queue<string>> {
  const all = { directory: DIRECTORY, indexer: false, clock, ...options } as const;
  return openQueueOn<string>(disk, all, limits);
}

/** The same, closed with the test unless it has died. */
export async function openTicking(
  t: Test,
  disk: MemoryOpener,
  clock: MovedClock,
  options: Partial<QueueOptions<string>> = {},
): Promise<Queue<string>> {
  const queue = await openOn(disk, clock, options);
  t.teardown(() => (disk.dead ? undefined : queue.close()));
  return queue;
}

export const tickOf = (marks: Uint8Array): WrittenTick | undefined => {
  const mark = findMark(marks, Mark.tick);
  return mark && { time: readUint48(mark, 0), name: Buffer.from(mark.subarray(6)).toString() };
};

/** The ticks among the records that are there, by index. */
export function ticksThere(engine: Engine): Map<number, WrittenTick | undefined> {
  engine.catchUp();
  const found = new Map<number, WrittenTick | undefined>();
  for (let index = engine.firstIndex; index < engine.tail.nextIndex; index++) {
    const record = engine.readKnown(index);
    if (record !== undefined) found.set(index, tickOf(record.marks));
  }
  return found;
}

/** Lets everybody do what is due: until nobody has touched the disk for some turns. */
export async function quiet(machine: MemoryDisk): Promise<void> {
  for (let before = -1; machine.operations !== before; await settle(12)) before = machine.operations;
}

/** Waits until it holds, so many turns at most. */
export async function eventually(holds: () => Promise<boolean> | boolean, turns = 400): Promise<boolean> {
  for (let turn = 0; turn < turns; turn++) {
    if (await holds()) return true;
    await settle(4);
  }
  return false;
}
