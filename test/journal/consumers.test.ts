/** What facts about named consumers make of each other. */
import fc from 'fast-check';
import t from 'tap';
import type { ConsumerSink } from '../../src/journal/consumer-facts.js';
import { decodeFacts } from '../../src/journal/fact-reader.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import { Fates } from '../../src/journal/fates.js';

type Fact = {
  readonly [K in keyof ConsumerSink]: readonly [K, ...Parameters<ConsumerSink[K]>];
}[keyof ConsumerSink];

function foldOf(facts: readonly Fact[], fates = new Fates('')): Fates {
  for (const [kind, ...args] of facts) Reflect.apply(fates[kind], fates, args);
  return fates;
}

const state = (fates: Fates): unknown =>
  [...fates.consumers.all()].map(({ name, since, position }) => [name, since, position]);

t.test('how far a consumer has got', async (t) => {
  const made: Fact[] = [['consumer', 'a', 1, 4]];
  const after = (...facts: Fact[]): unknown => state(foldOf([...made, ...facts]));
  t.same(after(), [['a', 1, 4]]);
  t.same(after(['consumed', 'a', 9]), [['a', 1, 9]]);
  t.same(after(['consumed', 'a', 9], ['consumed', 'a', 5]), [['a', 1, 9]], 'forward only');
  t.same(after(['consumed', 'a', 9], ['consumer', 'a', 1, 5]), [['a', 1, 5]], 'but where it is sought');
  t.same(after(['consumerRemoved', 'a']), []);
  t.same(after(['consumerRemoved', 'a'], ['consumed', 'a', 9]), [], 'nobody is there');
  t.same(after(['consumerRemoved', 'a'], ['consumer', 'a', 7, 0]), [['a', 7, 0]], 'another one');
  t.same(after(['consumer', 'b', 2, 1], ['consumed', 'b', 3]), [
    ['a', 1, 4],
    ['b', 2, 3],
  ]);
});

t.test('what all have done is what the least has', async (t) => {
  t.equal(new Fates('').consumers.least, undefined);
  t.equal(foldOf([['consumer', 'a', 1, 0]]).consumers.least, 0);
  const facts: Fact[] = [
    ['consumer', 'a', 1, 7],
    ['consumer', 'b', 2, 5],
    ['consumer', 'c', 3, 9],
  ];
  t.equal(foldOf(facts).consumers.least, 5);
  t.equal(foldOf([...facts, ['consumerRemoved', 'b']]).consumers.least, 7);
});

t.test('an index that was done is named, for it is never given again', async (t) => {
  t.equal(foldOf([['consumer', 'a', 1, 7]]).highestNamed, 7);
  t.equal(
    foldOf([
      ['consumer', 'a', 1, 0],
      ['consumed', 'a', 8],
    ]).highestNamed,
    8,
  );
});

t.test('changes are told, and who is no more', async (t) => {
  const fates = new Fates('');
  let changes = 0;
  const removed: unknown[] = [];
  fates.consumers.onChange = () => {
    changes += 1;
  };
  const forget = fates.consumers.onRemoved(({ name, since }) => removed.push([name, since]));
  foldOf([['consumer', 'a', 1, 0]], fates);
  t.equal(changes, 1);
  foldOf([['consumed', 'a', 3]], fates);
  t.equal(changes, 2);
  foldOf([['consumed', 'a', 3]], fates);
  t.equal(changes, 2, 'nothing is new');
  foldOf(
    [
      ['consumerRemoved', 'a'],
      ['consumerRemoved', 'a'],
      ['consumer', 'a', 9, 0],
    ],
    fates,
  );
  t.same([changes, removed], [4, [['a', 1]]]);
  forget();
  foldOf([['consumerRemoved', 'a']], fates);
  t.equal(removed.length, 1);
});

t.test('whatever facts there are, the state told again is the same state', async (t) => {
  const name = fc.constantFrom('a', 'b', 'mail.1');
  const index = fc.nat(50);
  const fact: fc.Arbitrary<Fact> = fc.oneof(
    fc.tuple(fc.constant('consumer' as const), name, fc.integer({ min: 1, max: 9 }), index),
    fc.tuple(fc.constant('consumed' as const), name, index),
    fc.tuple(fc.constant('consumerRemoved' as const), name),
  );
  const property = fc.property(fc.array(fact, { maxLength: 30 }), (facts) => {
    const fates = foldOf(facts);
    const writer = new FactWriter(0);
    writer.begin();
    fates.tell(writer);
    const again = new Fates('');
    decodeFacts(writer.bytes, 0, writer.length, again, 'f');
    return JSON.stringify(state(again)) === JSON.stringify(state(fates));
  });
  t.doesNotThrow(() => fc.assert(property));
});

t.test('a journal that may not have them is told nothing', async (t) => {
  const writer = new FactWriter(0);
  writer.takesStreams = false;
  writer.begin();
  t.throws(() => writer.consumed('a', 1), { code: 'DISK_FULL' });
  t.throws(() => writer.consumer('a', 1, 1), { code: 'DISK_FULL' });
  t.throws(() => writer.consumerRemoved('a'), { code: 'DISK_FULL' });
  t.ok(writer.frameIsEmpty);
  const bytes = Buffer.from([32, 1, 0x61]);
  t.doesNotThrow(() => decodeFacts(bytes, 0, 3, new Fates(''), 'f'));
  t.throws(() => decodeFacts(bytes, 0, 3, new Fates(''), 'f', 1), { code: 'UNSUPPORTED_VERSION' });
});
