import t from 'tap';
import { DueTimes } from '../../src/queue/due-times.js';
import { random } from '../support/random.js';

t.test('all fall due in the order of their times and indexes, however few are kept', (t) => {
  const draw = random(t);
  for (let round = 0; round < 200; round++) {
    const dues = new DueTimes(draw.integer(2, 40));
    const all = new Map<number, number>();
    let now = 0;
    let next = 1;
    const fired: number[] = [];
    const wanted: number[] = [];
    /** As the line does: what the heap does not know it is told again. */
    const fire = (): void => {
      for (;;) {
        for (let index = dues.take(now); index !== undefined; index = dues.take(now)) {
          fired.push(index);
          all.delete(index);
        }
        if (!dues.isSpent || all.size === 0) return;
        dues.clear();
        for (const [index, due] of all) dues.add(index, due);
        if (dues.earliest > now) return;
      }
    };
    for (let step = 0; step < 60; step++) {
      for (let count = draw.integer(0, 12); count > 0; count--) {
        const due = now + draw.integer(1, draw.pick([3, 100]));
        all.set(next, due);
        dues.add(next, due);
        next += 1;
      }
      now += draw.integer(0, 30);
      const due = [...all].filter(([, time]) => time <= now);
      wanted.push(...due.sort((a, b) => a[1] - b[1] || a[0] - b[0]).map(([index]) => index));
      fire();
      const earliest = Math.min(...all.values());
      if (dues.earliest > earliest) t.fail(`round ${round}: ${dues.earliest} is later than ${earliest}`);
    }
    if (JSON.stringify(fired) !== JSON.stringify(wanted)) {
      t.same(fired, wanted, `round ${round}`);
      t.end();
      return;
    }
  }
  t.pass('200 rounds');
  t.end();
});

t.test('it keeps no more than it may', (t) => {
  const dues = new DueTimes(8);
  for (let index = 1; index <= 1000; index++) {
    dues.add(index, 5);
    if (dues.size > 8) t.fail(`${dues.size} kept`);
  }
  t.equal(dues.earliest, 5);
  t.equal(dues.take(4), undefined);
  t.equal(dues.take(5), 1, 'of those due at one time the lowest first');
  t.end();
});
