import type { Command } from 'commander';
import { verify as verifyDirectory } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { untilClosed } from '../output.js';
import { withProgress } from '../progress.js';
import { showReport } from '../report.js';
import type { Session, Start } from '../session.js';

export const verify = (start: Start): Command =>
  directoryCommand('verify', {
    summary: 'read everything, and report what is not as it was written',
    description:
      'Reads a store from its first byte to its last. Severities: note, nothing to worry about; damage, bytes or ' +
      'files are not what was written; loss, what was only written, not synced, is not there.',
    directory: 'is only read, without a lock, and may be read-only. Others may go on working in it.',
    exit:
      '0 nothing, or nothing but notes and what was accounted for earlier; 1 damage or losses; 2 there is no such ' +
      'store, or it cannot be read.',
    examples: [
      ['durostore verify mail', 'findings as a table'],
      ['durostore verify mail --json', 'the report as one JSON document'],
      ['durostore verify mail || alert', 'in a nightly job'],
    ],
  }).action((directory: string, options: CommonOptions) => start(whereOf(directory, options), look));

async function look(session: Session): Promise<number> {
  const { directory, filePrefix, signal } = session;
  const report = await withProgress('verifying {bar} {percentage}% {eta_formatted}', (progress) =>
    verifyDirectory({
      directory,
      filePrefix,
      signal,
      onProgress: (done, total) => progress.update(done, total),
    }),
  );
  await untilClosed(showReport(session, report));
  return report.ok ? ExitCode.fine : ExitCode.findings;
}
