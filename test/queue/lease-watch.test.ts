import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Watched } from '../../src/queue/delivery.js';
import { LeaseWatch } from '../../src/queue/lease-watch.js';
import { openEngine } from '../store/engines.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { settle } from './settle.js';

/** Counts how often it is looked at. */
class Counted implements Watched {
  checks = 0;
  ended = false;
  readonly #clock: MovedClock;
  readonly #until: number;

  constructor(clock: MovedClock, until: number) {
    this.#clock = clock;
    this.#until = until;
  }

  check(): number {
    this.checks += 1;
    return this.#clock.monotonic() < this.#until ? this.#until : Number.POSITIVE_INFINITY;
  }

  over(): void {
    this.ended = true;
  }
}

t.test('one more that is watched is looked at, and the others are not', async (t) => {
  const clock = new MovedClock();
  const engine = await openEngine(t, new MemoryDisk(), { clock });
  const watch = new LeaseWatch(engine, () => {});
  const deliveries = range(1, 100).map(() => new Counted(clock, Number.POSITIVE_INFINITY));
  for (const one of deliveries) watch.add(one);
  t.same(new Set(deliveries.map(({ checks }) => checks)), new Set([1]));
  for (let change = 0; change < 50; change++) engine.indexer.changed();
  await settle();
  t.same(new Set(deliveries.map(({ checks }) => checks)), new Set([2]), 'once for all changes of a turn');
  watch.end();
  engine.indexer.changed();
  await settle();
  t.same(new Set(deliveries.map(({ checks, ended }) => (ended ? checks : -1))), new Set([2]), 'and no more');
});

t.test('they are looked at when the earliest lease ends, whichever came first', async (t) => {
  const clock = new MovedClock();
  const engine = await openEngine(t, new MemoryDisk(), { clock });
  const now = clock.monotonic();
  const watch = new LeaseWatch(engine, () => {});
  const late = new Counted(clock, now + 300);
  const early = new Counted(clock, now + 100);
  const latest = new Counted(clock, now + 500);
  for (const one of [late, early, latest]) watch.add(one);
  clock.advance(99);
  t.same([late.checks, early.checks, latest.checks], [1, 1, 1]);
  watch.remove(latest);
  clock.advance(1);
  t.same([late.checks, early.checks, latest.checks], [2, 2, 1]);
  watch.end();
});
