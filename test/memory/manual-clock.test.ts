import t from 'tap';
import { ManualClock } from '../../src/memory/mod.js';

const START = Date.UTC(2030, 0, 1);

t.test('both times stand still, and are moved together', async (t) => {
  const clock = new ManualClock();
  const monotonic = clock.monotonic();
  t.equal(clock.now(), START);
  await new Promise((resolve) => setImmediate(resolve));
  t.same([clock.now(), clock.monotonic()], [START, monotonic]);
  await clock.advance(1500);
  t.same([clock.now(), clock.monotonic()], [START + 1500, monotonic + 1500]);
  await clock.advance(0);
  t.same([clock.now(), clock.monotonic()], [START + 1500, monotonic + 1500]);
  t.equal(new ManualClock(5).now(), 5);
});

t.test('the wall time alone may jump', async (t) => {
  const clock = new ManualClock();
  const monotonic = clock.monotonic();
  let fired = 0;
  clock.setTimer(monotonic + 1000, () => {
    fired += 1;
  });
  clock.setWall(START - 3_600_000);
  t.same([clock.now(), clock.monotonic()], [START - 3_600_000, monotonic]);
  clock.setWall(START + 86_400_000);
  await clock.advance(999);
  t.equal(fired, 0, 'timers go by the monotonic time');
  t.equal(clock.now(), START + 86_400_999);
  await clock.advance(1);
  t.equal(fired, 1);
});

t.test('timers fire in the order of their times, each at its time, once', async (t) => {
  const clock = new ManualClock();
  const begin = clock.monotonic();
  const fired: [string, number, number][] = [];
  const at = (name: string, ms: number): (() => void) =>
    clock.setTimer(begin + ms, () => fired.push([name, clock.monotonic() - begin, clock.now() - START]));
  at('c', 300);
  at('a', 100);
  at('b', 200);
  at('b, too', 200);
  const cancel = at('cancelled', 150);
  at('later', 1001);
  cancel();
  cancel();
  const moved = clock.advance(1000);
  t.same(fired, [], 'nothing fires within the call');
  await moved;
  t.same(fired, [
    ['a', 100, 100],
    ['b', 200, 200],
    ['b, too', 200, 200],
    ['c', 300, 300],
  ]);
  await clock.advance(1);
  t.same(fired.at(-1), ['later', 1001, 1001]);
  await clock.advance(10_000);
  t.equal(fired.length, 5);
});

t.test('a timer may cancel another of the same time', async (t) => {
  const clock = new ManualClock();
  const at = clock.monotonic() + 10;
  let fired = 0;
  clock.setTimer(at, () => cancel());
  const cancel = clock.setTimer(at, () => {
    fired += 1;
  });
  await clock.advance(20);
  t.equal(fired, 0);
});

t.test('one that is due already fires soon, though nobody moves the clock', async (t) => {
  const clock = new ManualClock();
  let fired = 0;
  clock.setTimer(clock.monotonic(), () => {
    fired += 1;
  });
  t.equal(fired, 0, 'not within the call');
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(fired, 1);
  await clock.advance(10);
  t.equal(fired, 1);
});

t.test(
  'timers that are set on the way fire at their times, however many turns later they are set',
  async (t) => {
    const clock = new ManualClock();
    const begin = clock.monotonic();
    const ticks: number[] = [];
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => clock.setTimer(clock.monotonic() + ms, resolve));
    const work = (async () => {
      for (let round = 0; round < 10; round++) {
        await sleep(100);
        ticks.push(clock.monotonic() - begin);
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await clock.advance(1000);
    t.same(ticks, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    await work;
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test(
  'what asks for the time goes on before the next timer, and what follows the last one before the end',
  async (t) => {
    const clock = new ManualClock();
    const begin = clock.monotonic();
    const seen: string[] = [];
    clock.setTimer(begin + 10, async () => {
      for (let round = 0; round < 10; round++) {
        await turn();
        clock.now();
      }
      seen.push(`first, at ${clock.monotonic() - begin}`);
    });
    clock.setTimer(begin + 20, async () => {
      for (let round = 0; round < 10; round++) await turn();
      seen.push(`last, at ${clock.monotonic() - begin}`);
    });
    await clock.advance(20);
    t.same(seen, ['first, at 10', 'last, at 20']);
  },
);

t.test(
  'who sets timers that are due again and again, or asks for ever, keeps no move from its end',
  async (t) => {
    const clock = new ManualClock();
    let goesOn = true;
    let rounds = 0;
    const again = (): void => {
      rounds += 1;
      if (goesOn) clock.setTimer(clock.monotonic(), again);
    };
    again();
    const begin = clock.monotonic();
    await clock.advance(1000);
    t.equal(clock.monotonic() - begin, 1000);
    t.ok(rounds > 1);
    goesOn = false;
  },
);

t.test('calls one after the other add up, and keep their order', async (t) => {
  const clock = new ManualClock();
  const begin = clock.monotonic();
  const fired: number[] = [];
  for (const ms of [50, 150, 250]) clock.setTimer(begin + ms, () => fired.push(clock.monotonic() - begin));
  await Promise.all([clock.advance(100), clock.advance(100), clock.advance(100)]);
  t.equal(clock.monotonic() - begin, 300);
  t.same(fired, [50, 150, 250]);
});

t.test('time that is none is INVALID_OPTION', async (t) => {
  const clock = new ManualClock();
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    await t.rejects(clock.advance(ms), { code: 'INVALID_OPTION', message: /^ms:/ });
  t.throws(() => clock.setWall(Number.NaN), { code: 'INVALID_OPTION' });
  t.throws(() => new ManualClock(Number.NaN), { code: 'INVALID_OPTION' });
  t.equal(clock.now(), START);
  await clock.advance(1);
  t.equal(clock.now(), START + 1, 'and goes on');
});
