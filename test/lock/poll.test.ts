import t from 'tap';
import { Poll } from '../../src/lock/poll.js';

/** Polls until `ms` have passed; resolves with when it tried, in milliseconds from the beginning. */
function triesWithin(poll: (attempt: () => boolean) => Poll, ms: number): () => Promise<number[]> {
  let began = 0;
  let tries: number[] = [];
  let done: (tries: number[]) => void = () => {};
  const running = poll(() => {
    const at = performance.now() - began;
    tries.push(at);
    if (at < ms) return false;
    done(tries);
    return true;
  });
  return () =>
    new Promise((resolve) => {
      began = performance.now();
      tries = [];
      done = resolve;
      running.start();
    });
}

t.test('who stands behind others looks less often where waits are long', async (t) => {
  const wait = triesWithin((attempt) => new Poll(attempt, () => false), 40);
  const [first = 0] = await wait();
  for (let time = 0; time < 8; time++) await wait();
  const tries = await wait();
  t.comment(
    `${tries.length} tries, the first after ${tries[0]?.toFixed(1)} ms; at first after ${first.toFixed(1)} ms`,
  );
  // A timer that is late is followed by one that is early: what counts is how many there are.
  t.ok(tries.length <= 18, 'about every 4 ms');
});

t.test('who is next spins, then looks each millisecond', async (t) => {
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns += 1;
    if (running) setImmediate(count);
  };
  const wait = triesWithin((attempt) => new Poll(attempt), 0);
  setImmediate(count);
  for (let time = 0; time < 3; time++) {
    const before = turns;
    await wait();
    t.ok(turns - before <= 2, 'in the next turn of the event loop');
  }
  running = false;
});

t.test('a poll that was stopped tries no more', async (t) => {
  let tries = 0;
  const poll = new Poll(() => {
    tries += 1;
    return false;
  });
  poll.start();
  poll.stop();
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(tries, 0);
  t.equal(poll.isRunning, false);
});
