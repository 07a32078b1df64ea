import fc from 'fast-check';
import t from 'tap';
import { decodeFacts } from '../../src/journal/fact-reader.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import { Fates } from '../../src/journal/fates.js';
import type { Schedule, ScheduleSink } from '../../src/journal/schedule-facts.js';

const HERE = 'aa'.repeat(16);

const plain = (name: string, everyMs = 1000): Schedule => ({
  name,
  createdAt: 5,
  when: { kind: 'every', everyMs },
  missed: 'last',
  priority: 0,
  front: false,
  delayMs: 0,
  key: undefined,
  durability: undefined,
  headers: undefined,
  codec: 'json',
  value: Buffer.from('1'),
});

type Fact = {
  readonly [K in keyof ScheduleSink]: readonly [K, ...Parameters<ScheduleSink[K]>];
}[keyof ScheduleSink];
type Told = Fact | readonly ['gone' | 'lost', number, number];

const state = (fates: Fates): unknown =>
  [...fates.schedules.all()].map(({ schedule, last, previous, ticking }) => [
    schedule.name,
    schedule.when,
    last,
    previous,
    ticking,
  ]);

function foldOf(facts: readonly Told[]): Fates {
  const fates = new Fates(HERE);
  for (const [kind, ...args] of facts) Reflect.apply(fates[kind], fates, args);
  return fates;
}

const ofTick = (time: number, index: number): Told[] => [
  ['ticking', 's', time, index],
  ['ticked', 's'],
];

t.test('how far a schedule has got', async (t) => {
  const begun: Told[] = [['scheduled', plain('s')]];
  const two: Told[] = [...begun, ...ofTick(1005, 3), ...ofTick(2005, 7)];
  const gotTo = (facts: readonly Told[]): unknown => {
    const found = foldOf(facts).schedules.get('s');
    return found && [found.last?.time, found.previous?.time, found.ticking?.time];
  };
  t.same(gotTo(begun), [undefined, undefined, undefined]);
  t.same(gotTo(two), [2005, 1005, undefined]);
  t.same(gotTo([...two, ['ticking', 's', 3005, 9]]), [2005, 1005, 3005]);
  t.same(gotTo([...two, ['ticking', 's', 3005, 9], ['unticked', 's']]), [2005, 1005, undefined]);
  t.same(gotTo([...two, ['lost', 7, 8]]), [1005, undefined, undefined], 'the record of the last is lost');
  t.same(
    gotTo([...two, ['lost', 1, 20]]),
    [1005, undefined, undefined],
    'that of the one before is not any more',
  );
  t.same(gotTo([...two, ['gone', 7, 8], ['lost', 7, 8]]), [2005, 1005, undefined], 'somebody had it');
  t.same(gotTo([...two, ['lost', 8, 9]]), [2005, 1005, undefined], 'another is lost');
  t.same(
    gotTo([...two, ['ticking', 's', 3005, 9], ['lost', 9, 10]]),
    [2005, 1005, undefined],
    'before it is known',
  );
  t.same(gotTo([...two, ['scheduled', plain('s')]]), [2005, 1005, undefined], 'declared again');
  t.same(
    gotTo([...two, ['scheduled', plain('s', 999)]]),
    [undefined, undefined, undefined],
    'with another time',
  );
  t.same(gotTo([...two, ['unscheduled', 's']]), undefined);
  t.same(gotTo([...two, ['unscheduled', 's'], ['scheduled', plain('s')]]), [undefined, undefined, undefined]);
  t.same(
    gotTo([
      ['ticking', 's', 1, 1],
      ['ticked', 's'],
      ['unscheduled', 's'],
    ]),
    undefined,
    'of none that is there',
  );
});

t.test('a tick names its record once it is one', async (t) => {
  const fates = foldOf([
    ['scheduled', plain('s')],
    ['ticking', 's', 1005, 9],
  ]);
  t.equal(fates.highestNamed, 0, 'another record may be written there');
  t.same(fates.schedules.unresolved(), [['s', { time: 1005, index: 9 }]]);
  fates.ticked('s');
  t.equal(fates.highestNamed, 9);
  t.same(fates.schedules.unresolved(), []);
});

t.test('who listens hears of each change', async (t) => {
  const { schedules } = new Fates(HERE);
  let changes = 0;
  schedules.onChange = () => {
    changes += 1;
  };
  const heard = (does: () => void): number => {
    const before = changes;
    does();
    return changes - before;
  };
  t.equal(
    heard(() => schedules.clear()),
    0,
  );
  t.equal(
    heard(() => schedules.unscheduled('s')),
    0,
  );
  t.equal(
    heard(() => schedules.scheduled(plain('s'))),
    1,
  );
  t.equal(
    heard(() => schedules.ticking('s', 1, 1)),
    1,
  );
  t.equal(
    heard(() => schedules.ticked('s')),
    1,
  );
  t.equal(
    heard(() => schedules.lost(2, 3, () => false)),
    0,
  );
  t.equal(
    heard(() => schedules.lost(1, 2, () => false)),
    1,
  );
  t.equal(
    heard(() => schedules.unscheduled('s')),
    1,
  );
});

t.test('the state told again is the same, also by its bytes', async (t) => {
  const name = fc.constantFrom('a', 'b', 'c');
  const index = fc.integer({ min: 1, max: 9 });
  const one: fc.Arbitrary<Told> = fc.oneof(
    fc.tuple(name, fc.constantFrom(10, 20)).map(([n, every]) => ['scheduled', plain(n, every)] as const),
    name.map((n) => ['unscheduled', n] as const),
    fc.tuple(name, index, index).map(([n, time, i]) => ['ticking', n, time, i] as const),
    name.map((n) => ['ticked', n] as const),
    name.map((n) => ['unticked', n] as const),
    fc
      .tuple(fc.constantFrom('gone' as const, 'lost' as const), index)
      .map(([kind, i]) => [kind, i, i + 1] as const),
  );
  const whole = fc.tuple(name, index, index).map(([n, time, i]): Told[] => [
    ['ticking', n, time, i],
    ['ticked', n],
  ]);
  const some = fc.array(
    fc.oneof(
      one.map((fact) => [fact]),
      whole,
      whole,
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(some, (groups) => {
      const facts = groups.flat();
      const fates = foldOf(facts);
      const again = new Fates(HERE);
      const writer = new FactWriter(5);
      writer.begin();
      fates.tell(writer);
      decodeFacts(writer.bytes, 5, writer.length, again, 'f');
      if (JSON.stringify(state(again)) !== JSON.stringify(state(fates)))
        throw new Error(`${JSON.stringify(state(again))}, not ${JSON.stringify(state(fates))}`);
      const unresolved = (one: Fates): string => JSON.stringify(one.schedules.unresolved());
      if (unresolved(again) !== unresolved(fates)) throw new Error(unresolved(again));
    }),
  );
  t.pass('of any facts');
});
