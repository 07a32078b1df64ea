import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { until } from '../support/until.js';

const WAITERS = 50;

class CountingClock extends MovedClock {
  timers = 0;

  override setTimer(at: number, run: () => void): () => void {
    this.timers += 1;
    return super.setTimer(at, run);
  }
}

/** Another opener holds the only message, and many calls wait for it here. */
async function waitingForAnother() {
  const machine = new MemoryDisk();
  const clock = new CountingClock();
  const options = { directory: '/q', durability: 'written', clock } as const;
  const opener = machine.opener();
  const other = await openQueueOn<string>(opener, options);
  await other.enqueue('message');
  await other.claim({ leaseMs: 600_000 });
  const queue = await openQueueOn<string>(machine.opener(), options);
  const waits = Array.from({ length: WAITERS }, () => queue.dequeue({ waitMs: Number.POSITIVE_INFINITY }));
  const outcomes: unknown[] = [];
  for (const wait of waits) wait.then((value) => outcomes.push(value)).catch((error) => outcomes.push(error));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let n = 0; n < 5; n++) await turn();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await turn();
    }
  };
  return { machine, opener, clock, queue, outcomes, waits, pass };
}

t.test('however many wait, the holders are probed once every 50 ms', async (t) => {
  const { machine, opener, clock, queue, outcomes, waits, pass } = await waitingForAnother();
  let probes = 0;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'lock' && path.includes('slot')) probes += 1;
    return undefined;
  };
  const timersBefore = clock.timers;
  await pass(1000);
  const timers = clock.timers - timersBefore;
  t.ok(timers < WAITERS, `${timers} timers were set meanwhile`);
  t.ok(probes >= 10 && probes <= 21, `${probes} probes in a second`);
  t.equal(outcomes.length, 0);
  opener.die();
  await until('one of them has it', async () => {
    await pass(50);
    return outcomes.length > 0;
  });
  t.strictSame(outcomes, ['message'], 'the others wait on');
  const before = probes;
  await pass(1000);
  t.equal(probes, before, 'nobody else holds anything');
  await queue.close();
  await Promise.allSettled(waits);
});

t.test('where the dead cannot be freed, those who wait are told', async (t) => {
  const { machine, opener, queue, outcomes, waits, pass } = await waitingForAnother();
  opener.die();
  machine.onOperation = ({ kind, path }) =>
    kind === 'write' && path.includes('fate') ? { error: 'ENOSPC' } : undefined;
  await until('all are told', async () => {
    await pass(50);
    return outcomes.length === WAITERS;
  });
  t.ok(outcomes.every((outcome) => (outcome as { code?: unknown }).code === 'DISK_FULL'));
  machine.onOperation = undefined;
  await queue.close();
  await Promise.allSettled(waits);
});
