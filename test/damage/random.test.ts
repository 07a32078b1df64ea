import t from 'tap';
import { random } from '../support/random.js';
import { draw, inflict } from './damage.js';
import { Gauge } from './gauge.js';
import { hitsOf } from './hits.js';
import { Judge } from './judge.js';
import { makeShapes } from './shapes.js';

const DAMAGES = Number(process.env['DAMAGES'] ?? 10_000);
/** Repairing takes as long as all the rest: one in so many is repaired. */
const MEND_EVERY = Number(process.env['MEND_EVERY'] ?? 8);
const MOST_TOLD = 5;
const LONG_MS = 3_600_000;

t.setTimeout(LONG_MS);

t.test('whatever happens to a directory that was closed, right bytes come, or a typed error', async (t) => {
  t.setTimeout(LONG_MS);
  const numbers = random(t);
  const shapes = await makeShapes();
  const gauge = Gauge.begin();
  t.teardown(() => gauge.end());
  const bad: string[] = [];
  const kinds = new Map<string, number>();
  let made = 0;
  let mended = 0;
  for (; made < DAMAGES && bad.length < MOST_TOLD; made++) {
    const shape = numbers.pick(shapes);
    const damage = draw(shape, numbers);
    const machine = shape.machine.fork(made);
    inflict(machine, damage);
    const judge = new Judge(shape, hitsOf(shape, damage), gauge);
    const mend = made % MEND_EVERY === 0;
    await judge.judge(machine, { mend });
    if (mend) mended += 1;
    kinds.set(damage.kind, (kinds.get(damage.kind) ?? 0) + 1);
    if (judge.problems.length > 0)
      bad.push(`${made}: ${shape.name}, ${damage.what}:\n${judge.problems.slice(0, 4).join('\n')}`);
  }
  t.same(bad, []);
  t.comment(
    `found: ${made} damages, ${mended} of them repaired; ${[...kinds].map((one) => one.join(': ')).join(', ')}`,
  );
  t.comment(
    `a call took ${gauge.mostOperations} operations and ${gauge.largestRead} bytes at a time at most`,
  );
});
