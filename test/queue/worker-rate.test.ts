import t from 'tap';
import { RateWindow } from '../../src/queue/rate-window.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { random } from '../support/random.js';
import { until } from '../support/until.js';
import { Gates } from './gates.js';
import { settle } from './settle.js';

t.test('so many may begin in any window, and when the next', async (t) => {
  const window = new RateWindow({ max: 2, perMs: 100 });
  t.equal(window.free(0), 2);
  t.equal(window.next(0), 0);
  window.begin(10);
  t.equal(window.free(10), 1);
  window.begin(60);
  t.equal(window.free(60), 0);
  t.equal(window.next(60), 110);
  t.equal(window.free(109.9), 0);
  t.equal(window.free(110), 1);
  window.begin(110);
  t.equal(window.next(110), 160);
  t.equal(window.free(1000), 2);
  t.equal(new RateWindow(undefined).free(0), Number.POSITIVE_INFINITY);
});

t.test('a window that has seen much keeps little, and forgets nothing that counts', async (t) => {
  const chosen = random(t);
  const window = new RateWindow({ max: 7, perMs: 50 });
  const begun: number[] = [];
  let now = 0;
  for (let step = 0; step < 20_000; step++) {
    now += chosen.integer(0, 11);
    const inside = begun.slice(-7).filter((at) => at + 50 > now).length;
    const free = window.free(now);
    if (free !== 7 - inside) throw new Error(`${free} free, not ${7 - inside}, at ${now}`);
    if (inside === 7) continue;
    window.begin(now);
    begun.push(now);
  }
  t.ok(begun.length > 5000, `${begun.length} began`);
});

t.test('what may not begin yet is not claimed', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const [queue, other] = [await world.openQueue<number>({ clock }), await world.openQueue<number>({ clock })];
  await queue.enqueueMany(range(1, 10));
  const gates = new Gates<number>();
  const options = { concurrency: 8, rateLimit: { max: 3, perMs: 1000 } };
  const worker = queue.process(gates.handler, options);
  await until('three have begun', () => gates.begun.length === 3);
  await settle(10);
  t.equal(gates.begun.length, 3);
  t.equal((await other.stats()).claimed, 3);
  gates.open(0);
  await settle(10);
  clock.advance(999);
  await settle(10);
  t.equal(gates.begun.length, 3, 'one that ends makes no room');
  clock.advance(1);
  await until('three more have begun', () => gates.begun.length === 6);
  await settle(10);
  t.equal(gates.begun.length, 6);
  clock.advance(1000);
  await until('as many as there are places', () => gates.begun.length === 9);
  clock.advance(1000);
  await settle(10);
  t.equal(gates.begun.length, 9);
  gates.openAll();
  await until('the last', () => gates.begun.length === 10);
  gates.openAll();
  await worker.close();
  t.equal(worker.stats().done, 10);
});

onBothDisks('by the clock, no window holds more beginnings than are allowed', async (t, world) => {
  const queue = await world.openQueue<number>({ durability: 'written' });
  const [count, max, perMs] = [40, 5, 60];
  await queue.enqueueMany(range(1, count));
  const begun: number[] = [];
  const worker = queue.process(
    async ({ value }) => {
      begun.push(performance.now());
      await settle(value % 4);
    },
    { concurrency: 4, rateLimit: { max, perMs } },
  );
  await until('all are done', () => worker.stats().done === count, 60_000);
  await worker.close();
  t.equal(begun.length, count);
  const shortest = Math.min(...begun.slice(max).map((at, n) => at - (begun[n] ?? 0)));
  t.ok(shortest >= perMs, `${max + 1} began within ${shortest} ms at the least`);
});
