import t from 'tap';
import { IndexSet } from '../../src/journal/index-set.js';

t.test('a gap that is filled below full blocks counts once', async (t) => {
  const set = new IndexSet();
  t.equal(set.addRange(1, 8192), 8191);
  t.equal(set.remove(2), true);
  t.equal(set.addRange(2, 8192), 1);
  t.equal(set.count, 8191);
  t.equal(set.firstAbsent(1), 8192);
  t.same([...set.ranges()], [{ from: 0, to: 8192 }]);
});
