import type { Engine } from './engine.js';
import type { EntryStart } from './entries.js';
import { startOf } from './entry-walk.js';
import { invalid } from './options.js';

/** The index of the first record to be had from there on, as far as is known. INVALID_OPTION for one that is beyond the next one. */
export function existingStart(engine: Engine, option: string, from: EntryStart): number {
  const start = startOf(engine, from);
  if (start <= engine.tail.nextIndex) return start;
  throw invalid(option, `at most the next index, which is ${engine.tail.nextIndex}`, from);
}

/** How many records there are behind a position. */
export const lagBehind = ({ fates, tail }: Engine, position: number): number =>
  fates.goneSet.absentIn(position + 1, tail.nextIndex);
