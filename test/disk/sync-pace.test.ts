import t from 'tap';
import { GroupSync, type Syncing } from '../../src/disk/group-sync.js';
import { SyncPace } from '../../src/disk/sync-pace.js';

/** One that has seen a brisk device, and nobody else, for long enough. */
function trusting(): SyncPace {
  const pace = new SyncPace();
  for (let count = 0; count < 16; count++) {
    if (pace.mayWait) throw new Error(`trusted after ${count}`);
    pace.passed(0.1, 1);
  }
  return pace;
}

t.test('the calling thread waits for a brisk device that nobody else asked', (t) => {
  t.equal(trusting().mayWait, true);
  t.end();
});

t.test('one that is slow on average is waited for in the background, until it is brisk again', (t) => {
  const pace = trusting();
  pace.waited(0.6);
  t.equal(pace.mayWait, true, 'once is nothing');
  pace.waited(20);
  t.equal(pace.mayWait, false);
  let asked = 0;
  for (; !pace.mayWait && asked < 1000; asked++) pace.passed(0.1, 1);
  t.ok(asked > 8 && asked < 40, `after ${asked} more`);
  const slow = new SyncPace();
  for (let count = 0; count < 100; count++) slow.passed(0.6, 1);
  t.equal(slow.mayWait, false);
  t.end();
});

t.test('one in 32 goes through the background, to see whether others would have joined it', (t) => {
  const pace = trusting();
  for (let count = 0; count < 32; count++) {
    t.equal(pace.mayWait, true);
    pace.waited(0.1);
  }
  t.equal(pace.mayWait, false);
  pace.passed(0.1, 1);
  t.equal(pace.mayWait, true, 'nobody did');
  for (let count = 0; count < 32; count++) pace.waited(0.1);
  pace.passed(0.1, 2);
  for (let count = 0; count < 15; count++) pace.passed(0.1, 1);
  t.equal(pace.mayWait, false, 'somebody did');
  pace.passed(0.1, 1);
  t.equal(pace.mayWait, true);
  t.end();
});

/** A device that answers when it is told to. */
function device(): {
  syncing: Syncing;
  here: () => number;
  background: (() => void)[];
  refuse: (why: string) => void;
} {
  let count = 0;
  let reason: string | undefined;
  const background: (() => void)[] = [];
  return {
    background,
    here: () => count,
    refuse: (why) => {
      reason = why;
    },
    syncing: {
      sync: () => new Promise<void>((done) => background.push(done)),
      syncHere() {
        if (reason === 'much') return false;
        if (reason !== undefined) throw new Error(reason);
        count += 1;
        return true;
      },
      failed: (error) => new Error(`told: ${(error as Error).message}`),
    },
  };
}

t.test('what was synced here is told at once; what cannot be goes through the background', async (t) => {
  const { syncing, here, background, refuse } = device();
  const group = new GroupSync(syncing, trusting());
  t.equal(group.requestHere(), undefined);
  t.equal(here(), 1);
  refuse('much');
  const waiting = group.requestHere();
  t.equal(background.length, 1);
  refuse('a sync here, while one is under way');
  const joining = group.requestHere();
  background[0]?.();
  await waiting;
  await new Promise(setImmediate);
  t.equal(background.length, 2, 'who comes meanwhile waits for the next, wherever it came from');
  background[1]?.();
  await joining;
  t.equal(here(), 1);
});

t.test('a sync that failed here is final as any other', async (t) => {
  const { syncing, background, refuse } = device();
  const group = new GroupSync(syncing, trusting());
  refuse('EIO');
  await t.rejects(Promise.resolve(group.requestHere()), { message: 'told: EIO' });
  refuse('not asked again');
  await t.rejects(Promise.resolve(group.requestHere()), { message: 'told: EIO' });
  await t.rejects(group.request(), { message: 'told: EIO' });
  t.equal(background.length, 0);
});

t.test('whoever asks for another file, before or meanwhile, could have had the device, too', async (t) => {
  for (const when of ['before', 'meanwhile'] as const) {
    const one = device();
    const other = device();
    const group = new GroupSync(one.syncing, trusting());
    const neighbour = new GroupSync(other.syncing, new SyncPace());
    const ask = (): Promise<void> | undefined => neighbour.requestHere();
    for (let count = 0; count < 32; count++) t.equal(group.requestHere(), undefined);
    const earlier = when === 'before' ? ask() : undefined;
    const probe = group.requestHere();
    t.equal(one.background.length, 1, 'the one in 32');
    const later = when === 'meanwhile' ? ask() : undefined;
    one.background[0]?.();
    await probe;
    other.background[0]?.();
    await (earlier ?? later);
    await new Promise(setImmediate);
    const next = group.requestHere();
    t.equal(one.background.length, 2, `${when}: in the background`);
    one.background[1]?.();
    await next;
    t.equal(one.here(), 32);
    for (let count = 0; count < 15; count++) {
      await new Promise(setImmediate);
      const again = group.requestHere();
      one.background[one.background.length - 1]?.();
      await again;
    }
    await new Promise(setImmediate);
    t.equal(group.requestHere(), undefined, 'alone for long enough: here again');
  }
});

t.test('those whose sync failed are no longer waiting', async (t) => {
  const broken = new GroupSync(
    { sync: () => Promise.reject(new Error('EIO')), syncHere: () => false, failed: (error) => error },
    new SyncPace(),
  );
  const failing = [broken.request(), broken.request()];
  for (const request of failing) await t.rejects(request, { message: 'EIO' });
  const { syncing, background, here } = device();
  const group = new GroupSync(syncing, trusting());
  for (let count = 0; count < 32; count++) group.requestHere();
  const probe = group.requestHere();
  background[0]?.();
  await probe;
  await new Promise(setImmediate);
  t.equal(group.requestHere(), undefined, 'nobody else was there');
  t.equal(here(), 33);
});
