import fc from 'fast-check';
import t from 'tap';
import { type TimedIndex, TimeHeap } from '../../src/journal/time-heap.js';

const named = ({ at, index }: TimedIndex): string => `${index} at ${at}`;
const inOrder = (one: TimedIndex, other: TimedIndex): number => one.at - other.at || one.index - other.index;

function drain(heap: TimeHeap): string[] {
  const taken: string[] = [];
  for (let one = heap.earliest; one !== undefined; one = heap.earliest) {
    taken.push(named(one));
    heap.takeEarliest();
  }
  return taken;
}

t.test('they come in the order of a naive sort, of those at one time the lowest first', async (t) => {
  const at = fc.integer({ min: 1, max: 30 });
  const steps = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.tuple(at, fc.nat(50)) }, fc.constant('take' as const)),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (steps) => {
      const heap = new TimeHeap();
      let naive: TimedIndex[] = [];
      for (const step of steps) {
        if (step === 'take') {
          const { earliest } = heap;
          if (earliest?.at !== naive[0]?.at || earliest?.index !== naive[0]?.index)
            throw new Error(`${earliest && named(earliest)} is the earliest`);
          naive = naive.slice(1);
          heap.takeEarliest();
        } else {
          heap.add(step[0], step[1]);
          naive = [...naive, { at: step[0], index: step[1] }].sort(inOrder);
        }
        if (heap.size !== naive.length) throw new Error(`${heap.size}, not ${naive.length}`);
      }
      const left = drain(heap);
      const wanted = naive.map(named);
      if (left.join() !== wanted.join()) throw new Error(`left: ${left}, not ${wanted}`);
    }),
    { numRuns: 500 },
  );
  t.pass('500 programs');
});

t.test('what holds no more is swept out when there is much of it, and nothing else is', async (t) => {
  const heap = new TimeHeap();
  for (let index = 1; index <= 3000; index++) heap.add((index * 7919) % 3001, index);
  heap.sweep(1000, ({ index }) => index % 3 === 0);
  t.equal(heap.size, 3000, 'not worth while yet');
  heap.sweep(900, ({ index }) => index % 3 === 0);
  t.equal(heap.size, 1000);
  const wanted: TimedIndex[] = [];
  for (let index = 3; index <= 3000; index += 3) wanted.push({ at: (index * 7919) % 3001, index });
  t.same(drain(heap), wanted.sort(inOrder).map(named));
  heap.add(5, 1);
  heap.clear();
  t.equal(heap.earliest, undefined);
});
