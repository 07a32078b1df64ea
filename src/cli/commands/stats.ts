import { relative } from 'node:path';
import type { Command } from 'commander';
import { openQueue, type QueueStats } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { bytesOf, grouped } from '../numbers.js';
import { closing } from '../opened.js';
import type { Paint } from '../paint.js';
import type { Session, Start } from '../session.js';
import { table } from '../table.js';
import { assertThere } from '../there.js';
import { VISITOR } from '../visitor.js';

export const stats = (start: Start): Command =>
  directoryCommand('stats', {
    summary: 'what is in a directory: records, messages, bytes, files',
    description:
      'Prints what is in a directory, under the names that stats() has in the library. Of a log that nobody uses as a ' +
      'queue, all records are waiting.',
    directory:
      'is opened as by any program: who is first mends what a crash left. Otherwise nothing is changed, and nothing ' +
      'is created where there is no store.',
    examples: [
      ['durostore stats mail', 'as a table'],
      ['durostore stats mail --json | jq .waiting', 'one number'],
    ],
  }).action((directory: string, options: CommonOptions) => start(whereOf(directory, options), show));

async function show(session: Session): Promise<number> {
  const { directory, filePrefix, signal, json, out } = session;
  await assertThere(session);
  const found = await closing(await openQueue({ directory, filePrefix, signal, ...VISITOR }), (queue) =>
    queue.stats(),
  );
  if (json) await out.json({ directory, filePrefix, ...found, oldestAgeMs: found.oldestAgeMs ?? null });
  else await out.line(asText(found, directory, out.paint));
  return ExitCode.fine;
}

function asText(found: QueueStats, directory: string, paint: Paint): string {
  const { oldestAgeMs } = found;
  const rows: [name: string, value: string, what: string][] = [
    ['length', grouped(found.length), 'records there are'],
    ['waiting', grouped(found.waiting), 'messages that can be had now'],
    ['claimed', grouped(found.claimed), 'messages in the hands of consumers'],
    ['delayed', grouped(found.delayed), 'messages whose time has not come'],
    ['dead', grouped(found.dead), 'messages that were given up'],
    ['oldestAgeMs', oldestAgeMs === undefined ? '-' : grouped(oldestAgeMs), 'age of the first in line'],
    ['firstIndex', String(found.firstIndex), 'the oldest record'],
    ['nextIndex', String(found.nextIndex), 'what the next record gets'],
    ['syncedIndex', String(found.syncedIndex), 'on the device up to it, as far as was seen'],
    ['bytes', bytesOf(found.bytes), 'on disk'],
    ['preparedBytes', bytesOf(found.preparedBytes), 'on disk, written ahead'],
    ['files', grouped(found.files), 'segments'],
    ['lost', grouped(found.lost), 'records lost to power cuts or damage'],
    ['cuts', grouped(found.cuts), 'ends that recovery has cut'],
  ];
  const numbers = table([{ name: '' }, { name: '', align: 'right' }, { name: '' }], rows, paint);
  if (found.pinnedBy.length === 0) return numbers;
  const pins = found.pinnedBy.map(({ file, index, why }) => [relative(directory, file), String(index), why]);
  return `${numbers}\n\n${table([{ name: 'KEPT FILE' }, { name: 'FOR RECORD', align: 'right' }, { name: 'WHICH IS' }], pins, paint)}`;
}
