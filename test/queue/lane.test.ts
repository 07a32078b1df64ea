import t from 'tap';
import { Lane } from '../../src/queue/lane.js';
import { random } from '../support/random.js';

t.test('a lane is a sorted set', (t) => {
  const draw = random(t);
  for (let round = 0; round < 200; round++) {
    const lane = new Lane();
    const members = new Set<number>();
    const most = draw.pick([20, 5000, 100_000]);
    const start = draw.pick([0, 4090, 2 ** 40]);
    for (let step = 0; step < 150; step++) {
      const index = start + draw.integer(0, most);
      const run = draw.chance(0.1) ? draw.integer(1, 200) : 1;
      const isAdded = draw.chance(0.6);
      for (let one = index; one < index + run; one++) {
        lane.set(one, isAdded);
        if (isAdded) members.add(one);
        else members.delete(one);
      }
      const probe = start + draw.integer(0, most);
      const sorted = [...members].sort((a, b) => a - b);
      const found = [lane.count, lane.has(probe), lane.first(probe), lane.last(probe)];
      const wanted = [
        members.size,
        members.has(probe),
        sorted.find((one) => one >= probe) ?? Number.POSITIVE_INFINITY,
        sorted.filter((one) => one < probe).at(-1) ?? -1,
      ];
      if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        t.same(found, wanted, `round ${round}, step ${step}, at ${probe}`);
        t.end();
        return;
      }
    }
  }
  t.pass('200 lanes');
  t.end();
});

t.test('a whole block is told as such, and is forgotten when all of it is over', (t) => {
  const lane = new Lane();
  for (let index = 4096; index < 2 * 4096; index++) lane.add(index);
  t.equal(lane.block(1), 'full');
  t.equal(lane.block(0), undefined);
  lane.remove(4096);
  t.type(lane.block(1), Uint32Array);
  lane.forgetBlock(5000, (from, to) => from > 4096 || to > 2 * 4096);
  t.equal(lane.count, 4095, 'not yet');
  lane.forgetBlock(5000, (from, to) => from === 4096 && to === 2 * 4096);
  t.equal(lane.count, 0);
  t.equal(lane.first(0), Number.POSITIVE_INFINITY);
  t.end();
});
