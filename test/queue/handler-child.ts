/** Claims one message, tells of its progress until its signal aborts, and tells what came of it. */
import { DurostoreError, openQueue } from '../../src/mod.js';
import { leave, orders, tell } from '../processes/child.js';
import { aborted } from '../support/aborted.js';

const { directory, options } = orders();
const outcome = (call: Promise<void>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error instanceof DurostoreError ? error.code : String(error)),
  );
process.on('disconnect', () => process.exit(1));

const queue = await openQueue<string>({ ...options, directory });
const delivery = await queue.claim({ waitMs: Number.POSITIVE_INFINITY });
if (delivery === undefined) throw new Error('nothing came');
await delivery.progress({ by: process.pid, done: 1 });
await aborted(delivery.signal);
const { reason } = delivery.signal;
await tell({
  reason: reason instanceof DurostoreError ? reason.code : String(reason),
  progress: await outcome(delivery.progress(2)),
  nack: await outcome(delivery.nack()),
  ack: await outcome(delivery.ack()),
});
await queue.close();
leave();
