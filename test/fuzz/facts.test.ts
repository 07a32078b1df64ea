import fc from 'fast-check';
import t from 'tap';
import { decideJournalEnd } from '../../src/journal/end-table.js';
import { decodeFacts } from '../../src/journal/fact-reader.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import type { FactSink } from '../../src/journal/facts.js';
import { Fates } from '../../src/journal/fates.js';
import { IndexSet } from '../../src/journal/index-set.js';
import { assert, bytesUpTo, check, typed, uint16, uint32, uint48 } from './check.js';

const REFUSED = ['CORRUPT', 'UNSUPPORTED_VERSION'] as const;
const BODIES: Readonly<Record<number, number>> = {
  1: 12,
  2: 12,
  3: 24,
  4: 6,
  5: 34,
  6: 18,
  7: 6,
  8: 10,
  9: 2,
  10: 24,
  11: 18,
  12: 6,
  13: 9,
  14: 22,
  // With a name of any length.
  30: 16,
  31: 10,
  32: 4,
};
/** Facts written one behind the other by hand: codes that are known, and bodies of any bytes. */
const crafted = fc
  .array(
    fc
      .oneof(fc.nat(15), fc.integer({ min: 29, max: 33 }))
      .chain((code) =>
        fc.tuple(
          fc.constant(code),
          fc.uint8Array({ minLength: BODIES[code] ?? 3, maxLength: BODIES[code] ?? 3 }),
        ),
      ),
    { maxLength: 12 },
  )
  .map((facts) => Buffer.concat(facts.map(([code, body]) => Buffer.concat([Buffer.of(code), body]))));

type Told = readonly (string | number | object)[];

function sinkOf(told: Told[]): FactSink {
  return new Proxy({} as FactSink, {
    get:
      (_, name) =>
      (...args: Told) =>
        // Bytes are only lent.
        told.push([String(name), ...args.map((one) => (one instanceof Uint8Array ? Buffer.from(one) : one))]),
  });
}

t.test('facts come out of their bytes as they went in', (t) => {
  const index = fc.integer({ min: 1, max: 2 ** 47 });
  const range = (most: number): fc.Arbitrary<[number, number]> =>
    fc.tuple(index, fc.integer({ min: 0, max: most })).map(([from, count]) => [from, from + count]);
  const reason = fc.string({ unit: 'grapheme', maxLength: 30 });
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const lease = fc.record({ until: uint48, lengthMs: uint48 });
  const boot = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
  const fact = fc.oneof(
    range(2 ** 32).map(([from, to]) => ['gone', from, to] as const),
    range(2 ** 32).map(([from, to]) => ['lost', from, to] as const),
    fc.tuple(uint16, uint48, boot).map((args) => ['slotTaken', ...args] as const),
    uint48.map((incarnation) => ['freed', incarnation] as const),
    fc
      .tuple(range(2 ** 24), uint48, uint32, lease)
      .map(([[from, to], ...rest]) => ['claimed', from, to, ...rest] as const),
    fc.tuple(uint48, lease).map((args) => ['extended', ...args] as const),
    uint48.map((at) => ['released', at] as const),
    fc.tuple(uint48, uint32).map((args) => ['attempted', ...args] as const),
    fc
      .tuple(index, fc.record({ attempts: uint32, firstFailedAt: uint48, lastFailedAt: uint48, reason }))
      .map((args) => ['died', ...args] as const),
    fc.tuple(index, uint48, uint48).map((args) => ['putOff', ...args] as const),
    index.map((at) => ['requeued', at] as const),
    fc.tuple(index, bytesUpTo(300)).map((args) => ['progress', ...args] as const),
    fc.tuple(index, uint32, uint48, uint48).map((args) => ['attemptedSince', ...args] as const),
    fc.tuple(name, index, uint48).map((args) => ['consumer', ...args] as const),
    fc.tuple(name, uint48).map((args) => ['consumed', ...args] as const),
    name.map((one) => ['consumerRemoved', one] as const),
    fc.tuple(uint48, fc.boolean()).map((args) => ['carried', ...args] as const),
  );
  check(t, fc.array(fact, { maxLength: 40 }), (facts) => {
    const writer = new FactWriter(5);
    writer.begin();
    for (const [name, ...args] of facts) (writer[name] as (...all: unknown[]) => void).apply(writer, args);
    const told: Told[] = [];
    decodeFacts(writer.bytes, 5, writer.length, sinkOf(told), 'f');
    assert(JSON.stringify(told) === JSON.stringify(facts), JSON.stringify(told));
  });
  t.end();
});

t.test('any bytes are facts, CORRUPT or of a later version, and nothing reads beyond them', (t) => {
  check(t, fc.tuple(fc.oneof(bytesUpTo(120), crafted), bytesUpTo(20)), ([bytes, behind]) => {
    const outcome = (all: Buffer): string => {
      const told: Told[] = [];
      const whole = typed(REFUSED, () => {
        decodeFacts(all, 0, bytes.length, sinkOf(told), 'f');
        return true;
      });
      return JSON.stringify([whole, told]);
    };
    assert(outcome(bytes) === outcome(Buffer.concat([bytes, behind])), 'it depends on what stands behind');
  });
  t.end();
});

t.test('whatever ranges facts are about, folding them ends', (t) => {
  const numbers = [0, 1, 2, 4095, 4096, 4097, 2 ** 24, 2 ** 30, 2 ** 47, 2 ** 48 - 1];
  const ends = fc.oneof(fc.constantFrom(...numbers), fc.nat(20_000));
  const fact = fc.tuple(fc.constantFrom(1, 2, 5), ends, ends).map(([code, from, to]) => {
    const body = Buffer.alloc(1 + (BODIES[code] ?? 0), 1);
    body[0] = code;
    body.writeUIntLE(from, 1, 6);
    body.writeUIntLE(to, 7, 6);
    // Claims are folded one by one: as long as they can be takes seconds.
    return code === 5 && to - from > 2 ** 15 && to - from <= 2 ** 24 ? Buffer.alloc(0) : body;
  });
  check(
    t,
    fc.array(fact, { maxLength: 6 }).map((facts) => Buffer.concat(facts)),
    (bytes) => {
      const fates = new Fates('');
      const whole = typed(REFUSED, () => {
        decodeFacts(bytes, 0, bytes.length, fates, 'f');
        return true;
      });
      const again = new Fates('');
      fates.tell(again);
      assert(again.goneSet.count === fates.goneSet.count, 'told again, it is another');
      for (let at = 0; whole && at + 13 <= bytes.length; at += 1 + (BODIES[bytes[at] ?? 0] ?? 0)) {
        const [from, to] = [bytes.readUIntLE(at + 1, 6), bytes.readUIntLE(at + 7, 6)];
        if (bytes[at] !== 5) assert(from >= to || fates.goneSet.firstAbsent(from) >= to, `${from} to ${to}`);
      }
    },
    60,
  );
  t.end();
});

t.test('a set of indexes says of any ranges what a plain one says', (t) => {
  const range = fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.nat(15_000), fc.boolean());
  check(
    t,
    fc.array(range, { maxLength: 12 }),
    (ranges) => {
      const set = new IndexSet();
      const plain = new Set<number>();
      for (const [from, count, removes] of ranges) {
        if (removes) {
          for (let index = from; index < from + (count % 3); index++)
            assert(set.remove(index) === plain.delete(index), `remove ${index}`);
          continue;
        }
        const before = plain.size;
        for (let index = from; index < from + count; index++) plain.add(index);
        assert(set.addRange(from, from + count) === plain.size - before, `${from} to ${from + count}`);
        assert(set.count === plain.size, `${set.count} of ${plain.size}`);
      }
      for (let index = 1; index < 46_000; index += 7) assert(set.has(index) === plain.has(index), `${index}`);
      for (const [from, count] of ranges) {
        let absent = 0;
        for (let index = from; index < from + 2 * count; index++) if (!plain.has(index)) absent += 1;
        assert(set.absentIn(from, from + 2 * count) === absent, `absent from ${from} in ${2 * count}`);
      }
    },
    150,
  );
  t.end();
});

t.test('what is known to be on the device is never cut', (t) => {
  const found = fc.record({
    ending: fc.constantFrom('clean' as const, 'torn' as const, 'frames-behind' as const),
    inState: fc.boolean(),
    fact: uint48,
    safe: uint48,
    first: fc.boolean(),
  });
  check(t, found, (end) => {
    const decision = decideJournalEnd(end);
    if (end.inState) assert(decision === 'corrupt', 'a state');
    else if (end.ending === 'clean') assert(decision === 'leave', 'nothing there');
    else if (end.fact < end.safe) assert(decision === 'corrupt', 'a fact on the device');
  });
  t.end();
});
