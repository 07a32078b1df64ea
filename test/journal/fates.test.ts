import fc from 'fast-check';
import t from 'tap';
import { HEAD_BYTES } from '../../src/frame/frame.js';
import { decodeFacts, type FactSink, FactWriter, type Lease } from '../../src/journal/facts.js';
import { Fates } from '../../src/journal/fates.js';
import { judgeClaim, nextInLine } from '../../src/queue/judgement.js';

const HERE = 'aa'.repeat(16);
const ELSEWHERE = 'bb'.repeat(16);

const leaseUntil = (until: number): Lease => ({ until, lengthMs: 50 });

type Fact = { readonly [K in keyof FactSink]: readonly [K, ...Parameters<FactSink[K]>] }[keyof FactSink];

const index = fc.integer({ min: 1, max: 12 });
const lease = fc.record({
  until: fc.integer({ min: 1, max: 30 }),
  lengthMs: fc.integer({ min: 1, max: 30 }),
});
const incarnation = fc.integer({ min: 1, max: 4 });
const range = fc.tuple(index, fc.integer({ min: 1, max: 4 }));

const fact: fc.Arbitrary<Fact> = fc.oneof(
  range.map(([from, count]) => ['gone', from, from + count] as const),
  range.map(([from, count]) => ['lost', from, from + count] as const),
  fc
    .tuple(fc.integer({ min: 0, max: 2 }), incarnation, fc.constantFrom(HERE, ELSEWHERE))
    .map(([slot, number, boot]) => ['slotTaken', slot, number, boot] as const),
  incarnation.map((number) => ['freed', number] as const),
  fc
    .tuple(range, incarnation, fc.integer({ min: 1, max: 5 }), lease)
    .map(([[from, count], n, a, l]) => ['claimed', from, from + count, n, a, l] as const),
  fc.tuple(index, lease).map(([i, l]) => ['extended', i, l] as const),
  index.map((i) => ['released', i] as const),
  fc.tuple(index, fc.integer({ min: 1, max: 5 })).map(([i, a]) => ['attempted', i, a] as const),
);

function state(sink: FactSink, [kind, ...args]: Fact): void {
  Reflect.apply(sink[kind], sink, args);
}

/** The same by brute force: one object a record, nothing remembered that can be looked up. */
class Model {
  readonly records = new Map<
    number,
    {
      gone: boolean;
      lost: boolean;
      attempts: number;
      claim?: { by: number; until: number; length: number; attempt: number; expired: boolean } | undefined;
    }
  >();
  readonly holders = new Map<number, { slot: number; boot: string }>();

  #record(number: number) {
    let record = this.records.get(number);
    if (record === undefined) {
      record = { gone: false, lost: false, attempts: 0 };
      this.records.set(number, record);
    }
    return record;
  }

  /** A holder elsewhere that has no slot keeps it for its length from when `expire` sees it; any other elsewhere has lost it. */
  #lease(by: number, { until, lengthMs }: Lease): { until: number; length: number; expired: boolean } {
    const holder = this.holders.get(by);
    if (holder?.boot === HERE) return { until, length: lengthMs, expired: false };
    if (holder?.slot !== 0) return { until, length: lengthMs, expired: true };
    return { until: Number.NaN, length: lengthMs, expired: false };
  }

  apply(fact: Fact): void {
    switch (fact[0]) {
      case 'gone':
      case 'lost':
        for (let i = fact[1]; i < fact[2]; i++) {
          const record = this.#record(i);
          record.gone = true;
          if (fact[0] === 'lost') record.lost = true;
          record.claim = undefined;
          record.attempts = 0;
        }
        break;
      case 'slotTaken':
        for (const [number, { slot }] of this.holders)
          if (slot !== 0 && slot === fact[1]) this.apply(['freed', number]);
        this.apply(['freed', fact[2]]);
        this.holders.set(fact[2], { slot: fact[1], boot: fact[3] });
        break;
      case 'freed':
        if (this.holders.delete(fact[1]))
          for (const [number, record] of this.records)
            if (record.claim?.by === fact[1]) this.apply(['released', number]);
        break;
      case 'claimed': {
        for (let at = fact[1]; at < fact[2]; at++) {
          const record = this.#record(at);
          if (record.gone) continue;
          record.claim = { by: fact[3], attempt: fact[4], ...this.#lease(fact[3], fact[5]) };
          record.attempts = fact[4];
        }
        break;
      }
      case 'extended': {
        const { claim } = this.#record(fact[1]);
        if (claim === undefined) break;
        Object.assign(claim, this.#lease(claim.by, fact[2]));
        break;
      }
      case 'released':
        this.#record(fact[1]).claim = undefined;
        break;
      case 'attempted': {
        const record = this.#record(fact[1]);
        if (!record.gone && record.claim === undefined) record.attempts = fact[2];
        break;
      }
    }
  }

  expire(now: number): void {
    for (const { claim } of this.records.values()) {
      if (claim === undefined) continue;
      if (Number.isNaN(claim.until)) claim.until = now + claim.length;
      if (claim.until <= now) claim.expired = true;
    }
  }
}

function compare(fates: Fates, model: Model): void {
  let running = 0;
  const waiting: number[] = [];
  for (let i = 1; i < 20; i++) {
    const record = model.records.get(i) ?? { gone: false, lost: false, attempts: 0, claim: undefined };
    const claim = fates.claims.get(i);
    const isRunning = record.claim !== undefined && !record.claim.expired;
    if (isRunning) running += 1;
    if (!record.gone && !isRunning) waiting.push(i);
    const mine = [
      fates.goneSet.has(i),
      fates.lostSet.has(i),
      fates.attemptsOf(i),
      claim?.incarnation,
      claim?.expired,
    ];
    const theirs = [record.gone, record.lost, record.attempts, record.claim?.by, record.claim?.expired];
    if (JSON.stringify(mine) !== JSON.stringify(theirs))
      throw new Error(`${i}: ${mine}, and the model says ${theirs}`);
  }
  if (fates.running !== running) throw new Error(`${fates.running} leases run, not ${running}`);
  const line: number[] = [];
  for (let i = nextInLine(fates, 1, 20); i < 20; i = nextInLine(fates, i + 1, 20)) line.push(i);
  if (line.join() !== waiting.join()) throw new Error(`in line: ${line}, not ${waiting}`);
}

/** Slots are taken by new incarnations only, and nobody claims before it has taken one. */
function sensible(facts: readonly Fact[]): Fact[] {
  let latest = 0;
  return facts.map((one): Fact => {
    if (one[0] === 'slotTaken') return ['slotTaken', one[1], ++latest, one[3]];
    if (one[0] !== 'claimed') return one;
    return latest === 0
      ? ['released', one[1]]
      : ['claimed', one[1], one[2], 1 + (one[3] % latest), one[4], one[5]];
  });
}

t.test('the fold of any facts is what a naive model says', async (t) => {
  const program = fc.array(fc.oneof(fact, fc.integer({ min: 0, max: 40 })), { maxLength: 40 });
  fc.assert(
    fc.property(program, (steps) => {
      const facts = sensible(steps.filter((step): step is Fact => typeof step !== 'number'));
      const fates = new Fates(HERE);
      const model = new Model();
      for (const step of steps) {
        if (typeof step === 'number') {
          fates.expire(step);
          model.expire(step);
        } else {
          const next = facts.shift();
          if (next === undefined) continue;
          state(fates, next);
          model.apply(next);
        }
        compare(fates, model);
      }
    }),
    { numRuns: 500 },
  );
  t.pass('500 programs');
});

t.test('a state that is told again is the same state', async (t) => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 40 }), (facts) => {
      const [one, two] = [new Fates(HERE), new Fates(HERE)];
      const model = new Model();
      for (const step of sensible(facts)) {
        state(one, step);
        model.apply(step);
      }
      one.tell(two);
      if (one.highestNamed !== two.highestNamed) throw new Error('the greatest that is named is another');
      compare(two, model);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('facts come out of their bytes as they went in, and nothing else does', async (t) => {
  fc.assert(
    fc.property(fc.array(fact, { minLength: 1, maxLength: 60 }), (facts) => {
      const writer = new FactWriter(HEAD_BYTES);
      writer.begin();
      for (const one of facts) state(writer, one);
      const told: Fact[] = [];
      const sink = new Proxy({} as FactSink, {
        get:
          (_, name) =>
          (...args: number[]) =>
            told.push([name, ...args] as unknown as Fact),
      });
      decodeFacts(writer.bytes, HEAD_BYTES, writer.length, sink, 'duro.fate.1');
      if (JSON.stringify(told) !== JSON.stringify(facts)) throw new Error(`${JSON.stringify(told)}`);
    }),
  );
  const decode = (...bytes: readonly number[]): void =>
    decodeFacts(Buffer.from(bytes), 0, bytes.length, new Fates(HERE), 'f');
  t.throws(() => decode(99, 0, 0, 0), { code: 'UNSUPPORTED_VERSION', message: /fact of kind 99/ });
  t.throws(() => decode(0), { code: 'UNSUPPORTED_VERSION' });
  const odd = { code: 'CORRUPT', message: /does not end where its frame does/ };
  for (const [code, length] of [12, 12, 24, 6, 34, 18, 6, 10].entries()) {
    t.doesNotThrow(() => decode(code + 1, ...Array(length).fill(1)));
    t.throws(() => decode(code + 1, ...Array(length - 1).fill(1)), odd, `fact ${code + 1}`);
  }
  t.doesNotThrow(() => decode(9, 0xff, 0xff, 0xff, 0x7f, 1));
  t.throws(() => decode(9, 0xff, 0xff, 0xff, 0xff, 1, 1), odd, 'a varint has four bytes at most');
  t.throws(() => decode(9, 1), odd);
  t.throws(() => decode(9, 1, 0x80), odd);
});

t.test('a lease of another boot has ended, however it was extended', async (t) => {
  const fates = new Fates(HERE);
  fates.slotTaken(1, 1, ELSEWHERE);
  fates.claimed(5, 6, 1, 1, leaseUntil(1_000_000));
  fates.extended(5, leaseUntil(2_000_000));
  t.equal(fates.running, 0);
  t.equal(nextInLine(fates, 1, 10), 1);
  t.equal(fates.taken.has(5), false);
  t.equal(fates.attemptsOf(5), 1, 'it counts as an attempt');
});

t.test('a lease elsewhere that has no slot lasts as long as it is, from when it was seen', async (t) => {
  const fates = new Fates(HERE);
  fates.slotTaken(0, 1, ELSEWHERE);
  fates.slotTaken(0, 2, ELSEWHERE);
  fates.claimed(5, 6, 1, 1, { until: 7, lengthMs: 50 });
  t.same([fates.running, fates.nextExpiry], [1, Number.POSITIVE_INFINITY], 'its clock is not ours');
  t.equal(fates.expire(1000), false);
  t.same([fates.running, fates.nextExpiry], [1, 1050]);
  fates.extended(5, { until: 8, lengthMs: 70 });
  t.equal(fates.expire(1040), false);
  t.equal(fates.expire(1050), false, 'an extended one begins again');
  t.equal(fates.nextExpiry, 1110);
  t.same(fates.slotsWithClaims(undefined), [], 'nobody probes');
  t.equal(fates.expire(1110), true);
  t.same([fates.running, nextInLine(fates, 5, 9), fates.attemptsOf(5)], [0, 5, 1]);
});

t.test(
  'a succession forgets who has neither slot nor claims, and says of the others what they said',
  async (t) => {
    const fates = new Fates(HERE);
    fates.slotTaken(0, 1, HERE);
    fates.slotTaken(0, 2, ELSEWHERE);
    fates.slotTaken(3, 4, HERE);
    fates.claimed(5, 6, 2, 1, { until: 7, lengthMs: 50 });
    fates.expire(1000);
    fates.forgetIdle();
    t.same(
      [1, 2, 4].map((number) => fates.knows(number)),
      [false, true, true],
    );
    const told: unknown[] = [];
    const sink = new Proxy({} as FactSink, {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          told.push([name, ...args]),
    });
    fates.tell(sink);
    t.same(told, [
      ['slotTaken', 0, 2, ELSEWHERE],
      ['slotTaken', 3, 4, HERE],
      ['claimed', 5, 6, 2, 1, { until: 7, lengthMs: 50 }],
    ]);
  },
);

t.test('who takes a slot frees what the one before had', async (t) => {
  const fates = new Fates(HERE);
  fates.slotTaken(1, 7, HERE);
  fates.claimed(1, 2, 7, 1, leaseUntil(100));
  t.equal(nextInLine(fates, 1, 3), 2);
  fates.slotTaken(1, 8, HERE);
  t.equal(nextInLine(fates, 1, 3), 1);
  t.same([fates.incarnationOf(1), fates.attemptsOf(1)], [8, 1]);
});

t.test('judgement: every row of its table', async (t) => {
  const name = { index: 1, incarnation: 7, attempt: 1 };
  const claimed = (): Fates => {
    const fates = new Fates(HERE);
    fates.slotTaken(1, 7, HERE);
    fates.slotTaken(2, 8, HERE);
    fates.claimed(1, 2, 7, 1, leaseUntil(100));
    return fates;
  };
  const judge = (change: (fates: Fates) => void, now: number): string => {
    const fates = claimed();
    change(fates);
    return judgeClaim(fates, name, 100, now);
  };
  t.equal(
    judge(() => {}, 99),
    'held',
    'there, this one, its lease runs',
  );
  t.equal(
    judge(() => {}, 100),
    'lost',
    'there, ended',
  );
  t.equal(
    judge((fates) => fates.expire(100), 99),
    'lost',
    'there, called expired',
  );
  t.equal(
    judge((fates) => fates.released(1), 99),
    'lost',
    'there, given back',
  );
  t.equal(
    judge((fates) => fates.freed(7), 99),
    'lost',
    'there, its holder is no more',
  );
  t.equal(
    judge((fates) => fates.claimed(1, 2, 8, 2, leaseUntil(200)), 99),
    'lost',
    "there, another's",
  );
  t.equal(
    judge((fates) => fates.claimed(1, 2, 8, 1, leaseUntil(200)), 99),
    'lost',
    "there, another's, claimed as often",
  );
  t.equal(
    judge((fates) => fates.claimed(1, 2, 7, 2, leaseUntil(200)), 99),
    'lost',
    'there, claimed anew by the same',
  );
  t.equal(
    judge((fates) => fates.gone(1, 2), 99),
    'cancelled',
    'gone, while its lease would run',
  );
  t.equal(
    judge((fates) => fates.gone(1, 2), 100),
    'lost',
    'gone, after its lease',
  );
});

t.test('a buffer that one large decision needed is not kept', async (t) => {
  const writer = new FactWriter(HEAD_BYTES);
  const initial = writer.bytes.length;
  for (let round = 0; round < 2; round++) {
    writer.begin();
    for (let at = 1; at <= 200_000; at++) writer.attempted(at, 1);
    t.ok(writer.bytes.length > 2_000_000);
    writer.clear();
    t.equal(writer.bytes.length, initial);
  }
});

t.test('the next lease to end is told, whatever became of those that would have ended before', async (t) => {
  const fates = new Fates(HERE);
  fates.slotTaken(1, 7, HERE);
  for (const at of [1, 2, 3]) fates.claimed(at, at + 1, 7, 1, leaseUntil(100 * at));
  t.equal(fates.nextExpiry, 100);
  fates.extended(2, leaseUntil(1000));
  t.equal(fates.expire(200), true);
  t.same([fates.running, fates.nextExpiry], [2, 300], 'the extended one did not end');
  t.equal(fates.expire(299), false);
  t.equal(fates.expire(300), true);
  t.same([fates.running, fates.nextExpiry], [1, 1000]);
});
