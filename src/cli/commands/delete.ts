import type { Command } from 'commander';
import { openStore, type Store } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { type IndexRange, indexesOf, indexRanges } from '../index-ranges.js';
import { counted } from '../numbers.js';
import { closing } from '../opened.js';
import { untilClosed } from '../output.js';
import type { Session, Start } from '../session.js';
import { assertThere } from '../there.js';

export const deletion = (start: Start): Command =>
  directoryCommand('delete', {
    summary: 'delete messages or records by index',
    description:
      'Deletes messages or records by index, wherever they stand: waiting, delayed, in the hands of a consumer, who ' +
      'is told, or dead. Prints how many were there. What cannot be decoded at the head of a queue keeps all others ' +
      'waiting: dequeue names its index, and this removes it.',
    directory:
      'loses what was deleted, on the device when the number is printed. It is opened as by any program: who is first ' +
      'mends what a crash left. Nothing is created where there is no store.',
    exit: '0 fine, also where none of them was there; 2 it could not be done.',
    examples: [
      ['durostore delete mail 7', 'one message'],
      ['durostore delete mail 3 5-9', 'one, and five in a row'],
      ['durostore delete mail 7 --json | jq .deleted', 'whether it was there: 1 or 0'],
    ],
  })
    .argument('<indexes...>', 'which: 7, or 5-9 for all from 5 to 9', indexRanges)
    .action((directory: string, ranges: readonly IndexRange[], options: CommonOptions) =>
      start(whereOf(directory, options), (session) => remove(session, ranges)),
    );

/** So many are deleted at a time, all or none of them. */
const MOST_AT_A_TIME = 10_000;

async function remove(session: Session, ranges: readonly IndexRange[]): Promise<number> {
  const { directory, filePrefix, signal, json, out } = session;
  await assertThere(session);
  const deleted = await closing(await openStore({ directory, filePrefix, signal }), (store) =>
    removeFrom(store, ranges, session),
  );
  await untilClosed(json ? out.json({ deleted }) : out.line(String(deleted)));
  return ExitCode.fine;
}

async function removeFrom(
  store: Store,
  ranges: readonly IndexRange[],
  { signal, notes }: Session,
): Promise<number> {
  const { firstIndex, nextIndex } = await store.stats();
  let deleted = 0;
  try {
    for (const indexes of indexesOf(ranges, { first: firstIndex, end: nextIndex }, MOST_AT_A_TIME)) {
      signal.throwIfAborted();
      deleted += await store.delete(indexes);
    }
  } catch (error) {
    notes.note(`${counted(deleted, 'record')} ${deleted === 1 ? 'was' : 'were'} deleted`, { deleted });
    throw error;
  }
  return deleted;
}
