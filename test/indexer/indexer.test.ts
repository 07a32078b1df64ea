import t from 'tap';
import type { Clock } from '../../src/clock.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { Indexer, type IndexerOptions } from '../../src/indexer/indexer.js';

/** A clock that a test moves, with timers that fire when it does. */
class HandClock implements Clock {
  #now = 1000;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(at: number, run: () => void): () => void {
    const timer = { at, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

function start(options: Partial<IndexerOptions> = {}) {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  disk.makeDirectory('/q');
  const clock = new HandClock();
  const state = { written: 0, seen: 0, looks: 0 };
  const indexer = new Indexer(disk, '/q', clock, { intervalMs: 250, watch: true, ...options }, () => {
    state.looks += 1;
    const moved = state.written !== state.seen;
    state.seen = state.written;
    return moved;
  });
  return { machine, disk, clock, state, indexer };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** Whether a promise has been settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const note = (): void => {
    done = true;
  };
  promise.then(note, note);
  await soon();
  return done;
}

t.test('what happens between the look and the wait is not missed', async (t) => {
  const { indexer, state } = start();
  const seen = indexer.version;
  state.written += 1;
  indexer.look();
  await indexer.beyond(seen, Number.POSITIVE_INFINITY);
  t.pass('the wait was over before it began');
  t.equal(await settled(indexer.beyond(indexer.version, Number.POSITIVE_INFINITY)), false);
  indexer.close();
});

t.test('a notice wakes whoever waits, if there is something new', async (t) => {
  const { disk, indexer, state } = start();
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  await soon();
  t.equal(await settled(waiting), false);
  disk.create('/q/a');
  t.equal(await settled(waiting), false, 'nothing new in the files: the notice is a hint');
  state.written += 1;
  disk.create('/q/b');
  await waiting;
  indexer.close();
});

t.test('a lost notice costs an interval and nothing else', async (t) => {
  const { machine, clock, indexer, state } = start();
  machine.notices = 'drop';
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  await soon();
  clock.pass(1000);
  state.written += 1;
  t.equal(await settled(waiting), false);
  clock.pass(250);
  await waiting;
  indexer.close();
});

t.test('whoever waits is served where the background is off, and where no watch can be had', async (t) => {
  const { machine, clock, indexer, state } = start({ intervalMs: Number.POSITIVE_INFINITY });
  machine.onOperation = ({ kind }) => (kind === 'watch' ? { error: 'EMFILE' } : undefined);
  clock.pass(10_000);
  t.equal(state.looks, 0, 'nobody looks while nobody waits');
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  await soon();
  state.written += 1;
  clock.pass(250);
  await waiting;
  indexer.close();
});

t.test('a wait ends at its time, by its signal, and when closed', async (t) => {
  const { clock, indexer } = start();
  const waiting = indexer.beyond(indexer.version, clock.monotonic() + 100);
  t.equal(await settled(waiting), false);
  clock.pass(100);
  await waiting;
  const abort = new AbortController();
  const aborted = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY, abort.signal);
  const reason = new Error('enough');
  abort.abort(reason);
  await t.rejects(aborted, reason);
  await t.rejects(indexer.beyond(indexer.version, Number.POSITIVE_INFINITY, abort.signal), reason);
  const last = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  indexer.close();
  await t.rejects(last, { code: 'CLOSED' });
  await t.rejects(indexer.beyond(indexer.version, Number.POSITIVE_INFINITY), { code: 'CLOSED' });
  t.equal(clock.timers, 0, 'no timer is left');
});

t.test('a failing look in the background wakes those who wait, so that they meet the error', async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  disk.makeDirectory('/q');
  const clock = new HandClock();
  const indexer = new Indexer(disk, '/q', clock, { intervalMs: 250, watch: false }, () => {
    throw new Error('the disk is gone');
  });
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  await soon();
  clock.pass(250);
  await waiting;
  t.throws(() => indexer.look(), /gone/);
  indexer.close();
});

t.test('a watch is closed when nobody has waited for a while, also without a background', async (t) => {
  const { machine, disk, clock, indexer, state } = start({ intervalMs: Number.POSITIVE_INFINITY });
  const abort = new AbortController();
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY, abort.signal);
  await soon();
  abort.abort(new Error('enough'));
  await t.rejects(waiting, /enough/);
  clock.pass(9_000);
  let begun = 0;
  machine.onOperation = ({ kind }) => {
    if (kind === 'watch') begun += 1;
    return undefined;
  };
  const again = indexer.beyond(indexer.version, clock.monotonic() + 1);
  clock.pass(1);
  await again;
  t.equal(begun, 0, 'it is kept for who waits again soon');
  clock.pass(21_000);
  t.equal(clock.timers, 0, 'nothing is left to do');
  const after = state.looks;
  disk.create('/q/b');
  await soon();
  t.equal(state.looks, after, 'and nobody listens any more');
  indexer.close();
});

/** With a watch whose notices a test gives, and no look but at those: time stands still. */
function listening() {
  const clock = new HandClock();
  const state = { written: 0, seen: 0, looks: 0, begun: 0, open: 0 };
  let heard = (): void => {};
  const watch = (_directory: string, notice: () => void): { close(): void } => {
    state.begun += 1;
    state.open += 1;
    heard = notice;
    queueMicrotask(notice);
    return {
      close: () => {
        state.open -= 1;
        heard = () => {};
      },
    };
  };
  const indexer = new Indexer({ watch }, '/q', clock, { intervalMs: 250, watch: true }, () => {
    state.looks += 1;
    const moved = state.written !== state.seen;
    state.seen = state.written;
    return moved;
  });
  const write = (): void => {
    state.written += 1;
    heard();
  };
  return { clock, state, indexer, write, notice: () => heard() };
}

/** Waits, and is woken by a first change: so the watch has begun and nobody waits. */
async function wokenOnce({ indexer, write }: ReturnType<typeof listening>): Promise<void> {
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  await soon();
  write();
  await waiting;
  await soon();
}

t.test('a notice while nobody waits costs no look, and who waits next looks first', async (t) => {
  const world = listening();
  const { indexer, state, write, notice } = world;
  await wokenOnce(world);
  const { looks } = state;
  const seen = indexer.version;
  write();
  write();
  await soon();
  t.equal(state.looks, looks);
  await indexer.beyond(seen, Number.POSITIVE_INFINITY);
  t.equal(state.looks, looks + 1, 'it looked before it waited');
  notice();
  const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  t.equal(await settled(waiting), false, 'and waits where there was nothing');
  write();
  await waiting;
  indexer.close();
});

t.test('a look by whoever asks makes up for the notices before it', async (t) => {
  const world = listening();
  const { indexer, state, write } = world;
  await wokenOnce(world);
  write();
  t.equal(indexer.look(), true);
  const { looks } = state;
  t.equal(await settled(indexer.beyond(indexer.version, Number.POSITIVE_INFINITY).catch(() => {})), false);
  t.equal(state.looks, looks, 'no second one before the wait');
  indexer.close();
});

t.test('the notices of one turn make two looks, and the second sees the last change', async (t) => {
  const world = listening();
  const { indexer, state, write, notice } = world;
  await wokenOnce(world);
  const first = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  const { looks } = state;
  write();
  t.equal(state.looks, looks + 1, 'the first one waits for nothing');
  await first;
  const second = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
  for (let n = 0; n < 10; n++) notice();
  write();
  t.equal(state.looks, looks + 1);
  await second;
  t.equal(state.looks, looks + 2);
  indexer.close();
});

t.test(
  'a watch that tells again and again what nobody waits for is closed until somebody does',
  async (t) => {
    const world = listening();
    const { indexer, state, write, notice } = world;
    await wokenOnce(world);
    t.equal(state.begun, 1);
    for (let n = 0; n < 1000; n++) notice();
    t.equal(state.open, 0);
    const seen = indexer.version;
    state.written += 1;
    await indexer.beyond(seen, Number.POSITIVE_INFINITY);
    t.pass('what was written while nobody listened is found');
    t.equal(state.begun, 2);
    await wokenOnce(world);
    for (let n = 0; n < 40; n++) {
      notice();
      notice();
      await wokenOnce(world);
    }
    t.equal(state.begun, 2, 'who waits now and then keeps it');
    const waiting = indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
    for (let n = 0; n < 1000; n++) notice();
    t.equal(state.open, 1, 'as does who waits');
    write();
    await waiting;
    indexer.close();
    t.equal(state.open, 0);
  },
);

t.test('who listens hears of what was noticed before', async (t) => {
  const world = listening();
  const { indexer, write } = world;
  await wokenOnce(world);
  write();
  const before = indexer.version;
  let heard = 0;
  indexer.onChange(() => {
    heard = indexer.version;
  });
  await soon();
  t.ok(heard > before);
  indexer.close();
});
