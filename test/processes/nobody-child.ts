/**
 * Becomes a user without rights, and tries at each order: opens the queue in a directory, writes and takes there, and verifies it.
 * What is loaded late is loaded before, for that user may have no right to read the library.
 */
import { once } from 'node:events';
import { DurostoreError, openQueue, verify } from '../../src/mod.js';
import { leave, type Orders, orders, tell, untilStopped } from './child.js';

export interface Attempt {
  /** The value and the code of what was thrown, by call. */
  readonly opened: string;
  readonly message: string;
  readonly taken: string;
  readonly verified: string;
}

const NOBODY = 65534;
const { directory: scratch, options } = orders<Orders>();
untilStopped();

const told = async (call: () => Promise<unknown>): Promise<{ what: string; message: string }> => {
  try {
    return { what: String(await call()), message: '' };
  } catch (error) {
    if (error instanceof DurostoreError) return { what: error.code, message: error.message };
    return { what: `untyped: ${String(error)}`, message: '' };
  }
};

const attempt = async (directory: string): Promise<Attempt> => {
  let taken = '';
  const opened = await told(async () => {
    const queue = await openQueue<string>({ ...options, directory });
    taken = (
      await told(async () => {
        // Too much for the last file.
        await queue.enqueue(`by nobody ${'x'.repeat(250)}`);
        return await queue.dequeue({ waitMs: 100 });
      })
    ).what;
    await queue.close();
    return 'open';
  });
  const verified = await told(async () => {
    const { ok, records } = await verify({ directory });
    return `${ok ? 'ok' : 'not ok'}, ${records} records`;
  });
  const message = opened.message || verified.message;
  return { opened: opened.what, message, taken, verified: verified.what };
};

const warm = await openQueue<string>({ ...options, directory: scratch });
await warm.enqueue('warm');
await warm.dequeue();
await warm.dequeue({ waitMs: 300 });
await warm.close();
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);
await tell({ ready: true });
for (;;) {
  const [directory] = (await once(process, 'message')) as [string];
  if (directory === 'stop') break;
  await tell({ attempt: await attempt(directory) });
}
leave();
