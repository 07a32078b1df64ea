import t from 'tap';
import { IndexSet } from '../../src/journal/index-set.js';
import { firstInNeither } from '../../src/queue/first-in-neither.js';
import { Lane } from '../../src/queue/lane.js';
import { random } from '../support/random.js';

t.test('the first index in neither set, as a plain search finds it', async (t) => {
  const draw = random(t);
  for (let round = 0; round < 300; round++) {
    const set = new IndexSet();
    const lane = new Lane();
    const most = draw.pick([50, 9000]);
    for (let count = draw.integer(0, 60); count > 0; count--) {
      const from = draw.integer(1, most);
      const to = from + draw.integer(1, draw.pick([1, 3, 5000]));
      if (draw.chance(0.5)) set.addRange(from, to);
      else for (let index = from; index < to; index++) lane.add(index);
    }
    if (draw.chance(0.3)) set.addRange(1, draw.integer(1, 9000));
    const from = draw.integer(1, most);
    let wanted = from;
    while (set.has(wanted) || lane.has(wanted)) wanted += 1;
    const found = firstInNeither(from, set, lane);
    if (found !== wanted) t.equal(found, wanted, `round ${round}, from ${from}`);
  }
  t.pass('300 searches');
});
