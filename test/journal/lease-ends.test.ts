import fc from 'fast-check';
import t from 'tap';
import { LeaseEnds } from '../../src/journal/lease-ends.js';

interface End {
  readonly until: number;
  readonly index: number;
}

const named = ({ until, index }: End): string => `${index} at ${until}`;

/** Takes everything out; what ends at the same time comes in any order. */
function drain(ends: LeaseEnds): string[] {
  const taken: End[] = [];
  for (let end = ends.earliest; end !== undefined; end = ends.earliest) {
    const before = taken.at(-1);
    if (before !== undefined && before.until > end.until)
      throw new Error(`${named(end)} after ${named(before)}`);
    taken.push(end);
    ends.takeEarliest();
  }
  return taken.map(named).sort();
}

t.test('leases end in the order of a naive sort', async (t) => {
  const until = fc.integer({ min: 1, max: 30 });
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: until }, fc.constant('take' as const)), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (steps) => {
      const ends = new LeaseEnds();
      let naive: End[] = [];
      steps.forEach((step, index) => {
        if (step === 'take') {
          const { earliest } = ends;
          if (earliest?.until !== naive[0]?.until)
            throw new Error(`${earliest?.until} is the earliest, not ${naive[0]?.until}`);
          naive = naive.filter((end) => end.index !== earliest?.index);
          ends.takeEarliest();
        } else {
          ends.add(step, index);
          naive = [...naive, { until: step, index }].sort((a, b) => a.until - b.until);
        }
        if (ends.size !== naive.length) throw new Error(`${ends.size} ends, not ${naive.length}`);
      });
      const left = drain(ends);
      const wanted = naive.map(named).sort();
      if (left.join() !== wanted.join()) throw new Error(`left: ${left}, not ${wanted}`);
    }),
    { numRuns: 500 },
  );
  t.pass('500 programs');
});

t.test('what holds no more is swept out when there is much of it, and nothing else is', async (t) => {
  const ends = new LeaseEnds();
  for (let index = 1; index <= 3000; index++) ends.add((index * 7919) % 3001, index);
  ends.sweep(1000, (index) => index % 3 === 0);
  t.equal(ends.size, 3000, 'not worth while yet');
  ends.sweep(900, (index) => index % 3 === 0);
  t.equal(ends.size, 1000);
  const wanted: string[] = [];
  for (let index = 3; index <= 3000; index += 3) wanted.push(named({ until: (index * 7919) % 3001, index }));
  t.same(drain(ends), wanted.sort());
  ends.add(5, 1);
  ends.clear();
  t.equal(ends.earliest, undefined);
});
