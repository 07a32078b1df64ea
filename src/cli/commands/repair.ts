import type { Command } from 'commander';
import { repair as repairDirectory } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { untilClosed } from '../output.js';
import { withProgress } from '../progress.js';
import { showReport } from '../report.js';
import type { Session, Start } from '../session.js';

export const repair = (start: Start): Command =>
  directoryCommand('repair', {
    summary: 'mend a directory that verify found damaged',
    description:
      'Mends a store so that it opens, everything that is whole can be read, and what is not is told as lost. The ' +
      'report is that of the directory as it was, each finding with whether it was repaired.',
    directory:
      'must not be open anywhere: LOCK_UNAVAILABLE otherwise; with lock files close idle programs yourself. Bytes are ' +
      'copied to duro.repair.1 and so on before they are changed. Nothing is changed where nothing is wrong. It can ' +
      'be called again if it did not come to its end.',
    exit:
      '0 there was nothing to repair; 1 damage or losses were found, repaired or not: the table says which, and ' +
      'verify says whether all is well now; 2 it could not be done.',
    examples: [
      ['durostore verify mail || durostore repair mail', 'only where something is wrong'],
      ['durostore repair mail --json', 'the report as one JSON document'],
    ],
  }).action((directory: string, options: CommonOptions) => start(whereOf(directory, options), mend));

async function mend(session: Session): Promise<number> {
  const { directory, filePrefix, signal } = session;
  const report = await withProgress('repairing {bar} {percentage}% {eta_formatted}', (progress) =>
    repairDirectory({
      directory,
      filePrefix,
      signal,
      onProgress: (done, total) => progress.update(done, total),
    }),
  );
  await untilClosed(showReport(session, report));
  const isFine = report.findings.every(({ severity }) => severity === 'note');
  return isFine ? ExitCode.fine : ExitCode.findings;
}
