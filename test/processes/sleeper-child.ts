/**
 * For each round: opens a queue with lock files and enqueues what is there before; at `'go'` does its deed, and stops itself
 * in the midst of it; tells what it was told, then what it sees; and closes.
 */
import { once } from 'node:events';
import { osDisk } from '../../src/disk/os.js';
import { openQueueOn } from '../../src/queue/queue.js';
import {
  type Deed,
  deeds,
  type Opinion,
  opinionOf,
  prepare,
  sleeperOptions,
  type Told,
  told,
} from '../crash/sleeper.js';
import { leave, tell, untilStopped } from './child.js';
import { StoppingDisk } from './stopping-disk.js';

export interface Round {
  readonly directory: string;
  /** The name of a deed. */
  readonly deed: string;
  /** Before which operation it stops: the n-th, or the first with that name. */
  readonly stopsBefore: number | 'write';
}

/** What it says, in this order. */
export type Report =
  | { readonly is: 'ready' }
  | {
      readonly is: 'answered';
      readonly answers: readonly Told[];
      readonly enqueued: readonly (readonly string[])[];
      readonly stoppedAt: string | undefined;
    }
  | ({ readonly is: 'seen' } & Opinion)
  | { readonly is: 'closed' };

const say = (report: Report): Promise<void> => tell(report);

function deedNamed(name: string): Deed {
  const deed = deeds.find((one) => one.name === name);
  if (deed === undefined) throw new Error(`there is no deed ${name}`);
  return deed;
}

const stopped = untilStopped();
while (!stopped.aborted) {
  const [order] = (await once(process, 'message')) as [Round | 'stop'];
  if (order === 'stop') break;
  const { directory, stopsBefore } = order;
  const stopping = new StoppingDisk(osDisk);
  const { run, limits } = deedNamed(order.deed);
  const queue = await openQueueOn<string>(stopping.disk, { directory, ...sleeperOptions }, limits);
  await prepare(queue);
  const go = once(process, 'message');
  await say({ is: 'ready' });
  await go;
  stopping.stopBefore((n, name) => n === stopsBefore || name === stopsBefore);
  const calls = run(queue);
  const answers = await Promise.all(calls.map(([call]) => told(call)));
  const look = once(process, 'message');
  const enqueued = calls.map(([, ...values]) => values);
  await say({ is: 'answered', answers, enqueued, stoppedAt: stopping.stoppedAt });
  stopping.stopBefore(() => false);
  await look;
  await say({ is: 'seen', ...(await opinionOf(queue.store)) });
  await queue.close();
  await say({ is: 'closed' });
}
leave();
