/** A journal with a long state is succeeded with turns of the event loop in between; what is decided meanwhile waits for it. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { range } from '../store/records.js';
import { until } from '../support/until.js';

const LIMITS: JournalLimits = {
  reserveBytes: 64 * 1024,
  leastReserveBytes: 16 * 1024,
  leastGainBytes: 1024,
  shortenFromBytes: 70 * 1024,
  shortenFactor: 1.2,
};

async function open(t: Test, disk: MemoryOpener): Promise<Queue<number>> {
  const queue = await openQueueOn<number>(disk, { directory: '/q', indexer: false }, LIMITS);
  t.teardown(() => disk.dead || queue.close());
  return queue;
}

const COUNT = 60_000;
const scattered = range(1, COUNT / 2).map((at) => 2 * at);
const rest = range(0, COUNT / 2 - 1).map((at) => 2 * at + 1);

/** A queue of which every second message is deleted, but for the last few thousand, whose deletion has the journal succeeded. */
async function prepared(t: Test): Promise<{ machine: MemoryDisk; disk: MemoryOpener; queue: Queue<number> }> {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  const queue = await open(t, disk);
  await queue.enqueueMany(range(1, COUNT), { durability: 'written' });
  await queue.delete(scattered.slice(0, 20_000));
  return { machine, disk, queue };
}

const journals = (machine: MemoryDisk): string[] =>
  [...machine.snapshot().keys()].filter((path) => /fate\.\d+$/.test(path)).sort();

t.test('it is whole for everybody, and what was decided meanwhile comes behind it', async (t) => {
  const { machine, queue } = await prepared(t);
  const other = await open(t, machine.opener());
  let turns = 0;
  let syncs = 0;
  let later: Promise<unknown> | undefined;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path.endsWith('fate.2') && later === undefined)
      later = Promise.all([
        queue.dequeue(),
        other.dequeue(),
        queue.length(),
        other.delete(5),
        queue.delete(7),
      ]);
    if (kind === 'sync' && /fate/.test(path)) syncs += 1;
    return undefined;
  };
  let running = true;
  const turn = (): void => {
    turns += 1;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  t.equal(await queue.delete(scattered), 10_000);
  await until(
    'the journal is succeeded',
    () =>
      later !== undefined && journals(machine).length > 0 && !journals(machine).includes('/q/duro.fate.1'),
  );
  running = false;
  const [one, two] = (await later) as number[];
  t.same([one, two].sort(), [1, 3]);
  t.ok(turns > 2 && syncs >= 2, `${turns} turns, ${syncs} syncs`);
  machine.onOperation = undefined;
  const left = rest.filter((index) => index > 7);
  t.equal(await queue.length(), left.length);
  t.equal(await other.length(), left.length);
  const third = await open(t, machine.opener());
  t.same(await third.flush(), left);
  t.equal(await queue.length(), 0);
});

t.test('closing waits for it', async (t) => {
  const { machine, queue } = await prepared(t);
  await queue.delete(scattered);
  await queue.close();
  t.notOk(journals(machine).includes('/q/duro.fate.1'));
  t.same(await (await open(t, machine.opener())).flush(), rest);
});

for (const nth of [1, 2, 3])
  t.test(`who dies before its sync ${nth} leaves one that another makes again`, async (t) => {
    const { machine, disk, queue } = await prepared(t);
    let seen = 0;
    let begun = false;
    const died = new Promise<void>((resolve) => {
      machine.onOperation = ({ kind, path, opener }) => {
        if (opener !== disk.name) return undefined;
        if (kind === 'write' && path.endsWith('fate.2')) begun = true;
        if (!begun || (kind !== 'sync' && kind !== 'syncDirectory')) return undefined;
        seen += 1;
        if (seen !== nth) return undefined;
        machine.onOperation = undefined;
        setImmediate(() => {
          disk.die();
          resolve();
        });
        return undefined;
      };
    });
    queue.delete(scattered).catch(() => {});
    await died;
    const next = await open(t, machine.opener());
    t.equal(await next.length(), rest.length);
    t.equal(await next.delete([1, 3]), 2);
    t.same(await next.flush(), rest.slice(2));
  });

t.test('a sync that fails on the way makes the store failed', async (t) => {
  const { machine, queue } = await prepared(t);
  machine.onOperation = ({ kind, path }) =>
    kind === 'sync' && path.endsWith('fate.2') ? { error: 'EIO' } : undefined;
  await queue.delete(scattered).catch(() => {});
  await until('it is told', async () => {
    const code = await queue.dequeue().then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
    return code === 'STORE_FAILED';
  });
  machine.onOperation = undefined;
  await queue.close();
  const next = await open(t, machine.opener());
  const left = await next.flush();
  t.same(
    left.filter((value) => value % 2 === 0),
    [],
    'the deletes were on the device',
  );
});
