import type { Command } from 'commander';
import { openStore } from '../../mod.js';
import { type CommonOptions, directoryCommand, whereOf } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { KEYLESS } from '../keyless.js';
import { counted } from '../numbers.js';
import { closing } from '../opened.js';
import { untilClosed } from '../output.js';
import type { Session, Start } from '../session.js';
import { assertThere } from '../there.js';

export const copy = (start: Start): Command =>
  directoryCommand('copy', {
    summary: 'copy a store with everything into another directory',
    description:
      'Copies the store as it is at one moment, while everybody goes on working in it: all records with what is known of them, messages ' +
      'with their priority, place in line, key, delay, id, attempts and dead letters, schedules and named consumers. Nobody has a claim in the copy. ' +
      'Files that nobody writes to any more are shared where both directories are on one file system, and take no room twice. ' +
      'When it ends the copy is on the device, and a store of its own.',
    directory:
      'is opened as by any program: who is first mends what a crash left. Otherwise nothing is changed. <to> is created if it is ' +
      'missing, and must hold no files of a store with that prefix; what was copied is removed where the copy fails.',
    exit: '0 the copy is whole; 2 there is no such store, there is one in <to>, or it could not be done: then there is no copy.',
    examples: [
      ['durostore copy mail /backup/mail', 'a backup'],
      ['durostore copy mail aside && durostore verify aside', 'which is looked over'],
    ],
  })
    .argument('<to>', 'the directory that the copy is made in')
    .action((directory: string, to: string, options: CommonOptions) =>
      start(whereOf(directory, options), (session) => copyInto(session, to)),
    );

async function copyInto(session: Session, to: string): Promise<number> {
  const { directory, filePrefix, signal, out, json } = session;
  await assertThere(session);
  await closing(await openStore({ directory, filePrefix, signal, transforms: KEYLESS }), async (store) => {
    // Closed meanwhile, it takes away what it has copied.
    const interrupted = (): void => void store.close().catch(() => {});
    signal.addEventListener('abort', interrupted, { once: true });
    try {
      await store.copyTo(to);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupted);
    }
  });
  // As it is in the copy: others may have gone on meanwhile.
  const { length, nextIndex } = await closing(
    await openStore({ directory: to, filePrefix, signal, transforms: KEYLESS }),
    async (store) => ({ length: await store.length(), nextIndex: await store.nextIndex() }),
  );
  const text = `${counted(length, 'record')} copied to ${to}, where the next index is ${nextIndex}`;
  await untilClosed(json ? out.json({ records: length, nextIndex, directory: to }) : out.line(text));
  return ExitCode.fine;
}
