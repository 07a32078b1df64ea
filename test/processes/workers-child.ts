/**
 * A worker whose handler does what each job says and notes it, synchronously, in a file of its own: what it noted stands
 * even when it kills itself in the next moment. It does so only when nothing is half-way, so that the notes are exact.
 */
import { openSync, writeSync } from 'node:fs';
import { type Delivery, openQueue } from '../../src/mod.js';
import { aborted } from '../support/aborted.js';
import { orders, tell, untilStopped } from './child.js';
import { type Job, type Note, thrownFor, type WorkersOrders } from './workers-jobs.js';

const { directory, options, notes, concurrency, timeoutMs } = orders<WorkersOrders>();
const stopped = untilStopped();
const file = openSync(notes, 'a');
/** Handlings that are over for the handler; the worker counts those that are settled, too. */
let ended = 0;
let acknowledging = 0;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function note(what: Note['what'], { value: { n }, index, attempt }: Delivery<Job>): void {
  const line: Note = { what, n, index, attempt, at: String(process.hrtime.bigint()) };
  writeSync(file, `${JSON.stringify(line)}\n`);
}

const queue = await openQueue<Job>({ ...options, directory });
queue.on('error', (error) => void tell({ error: `${error.code}: ${error.message}` }));
const worker = queue.process(handle, { concurrency, timeoutMs });

async function handle(delivery: Delivery<Job>): Promise<void> {
  const { value, attempt, signal } = delivery;
  note('begin', delivery);
  let isOver = false;
  const end = (what: Note['what']): boolean => {
    if (isOver) return false;
    isOver = true;
    ended += 1;
    note(what, delivery);
    return true;
  };
  signal.addEventListener('abort', () => end('timeout'), { once: true });
  for (let turns = (value.n + attempt) % 4; turns > 0; turns--) await turn();
  const deed = value.deeds[Math.min(attempt, value.deeds.length) - 1];
  if (deed === 'return') end('return');
  else if (deed === 'ack') await acknowledge(delivery, end);
  else if (deed === 'throw') {
    end('throw');
    throw new Error(thrownFor(value.n, attempt));
  } else if (deed === 'die') await die(delivery);
  else await aborted(signal);
}

async function acknowledge(delivery: Delivery<Job>, end: (what: Note['what']) => boolean): Promise<void> {
  if (delivery.signal.aborted) return;
  acknowledging += 1;
  note('acking', delivery);
  try {
    await delivery.ack();
    // It counts, also where the time was over while it was being written.
    if (!end('ack')) note('ack', delivery);
  } finally {
    acknowledging -= 1;
  }
}

async function die(delivery: Delivery<Job>): Promise<void> {
  for (;;) {
    if (delivery.signal.aborted) return;
    const { done, failed } = worker.stats();
    if (acknowledging === 0 && ended === done + failed) break;
    await turn();
  }
  note('die', delivery);
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {});
}

await tell({ working: true });
await aborted(stopped);
await worker.close();
await tell({ closed: worker.stats() });
await queue.close();
process.exit();
