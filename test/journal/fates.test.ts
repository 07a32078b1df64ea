import fc from 'fast-check';
import t from 'tap';
import { HEAD_BYTES } from '../../src/frame/frame.js';
import { decodeFacts } from '../../src/journal/fact-reader.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import type { FactSink, Lease } from '../../src/journal/facts.js';
import { Fates } from '../../src/journal/fates.js';
import type { ScheduleSink } from '../../src/journal/schedule-facts.js';
import { judgeClaim } from '../../src/queue/judgement.js';

const HERE = 'aa'.repeat(16);
const ELSEWHERE = 'bb'.repeat(16);

const leaseUntil = (until: number): Lease => ({ until, lengthMs: 50 });

/** Those about records; what becomes of schedules is another test's. */
type Kind = Exclude<keyof FactSink, keyof ScheduleSink>;
type Fact = { readonly [K in Kind]: readonly [K, ...Parameters<FactSink[K]>] }[Kind];

const index = fc.integer({ min: 1, max: 12 });
const lease = fc.record({
  until: fc.integer({ min: 1, max: 30 }),
  lengthMs: fc.integer({ min: 1, max: 30 }),
});
const incarnation = fc.integer({ min: 1, max: 4 });
const wall = fc.integer({ min: 1, max: 30 });
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
  fc
    .tuple(index, fc.integer({ min: 0, max: 5 }), wall, wall, fc.constantFrom('', 'why', 'wär es möglich'))
    .map(
      ([i, attempts, firstFailedAt, lastFailedAt, reason]) =>
        ['died', i, { attempts, firstFailedAt, lastFailedAt, reason }] as const,
    ),
  fc.tuple(index, fc.oneof(fc.constant(0), wall), wall).map(([i, d, f]) => ['putOff', i, d, f] as const),
  index.map((i) => ['requeued', i] as const),
  fc
    .tuple(index, fc.uint8Array({ maxLength: 3 }))
    .map(([i, value]) => ['progress', i, Buffer.from(value)] as const),
  fc
    .tuple(
      index,
      fc.integer({ min: 1, max: 5 }),
      fc.oneof(fc.constant(0), wall),
      fc.oneof(fc.constant(0), wall),
    )
    .map((args) => ['attemptedSince', ...args] as const),
);

function state(sink: FactSink, [kind, ...args]: Fact): void {
  Reflect.apply(sink[kind], sink, args);
}

interface Held {
  by: number;
  until: number;
  length: number;
  expired: boolean;
  progress: string | undefined;
}

/** A record as the model has it. What it is to those who ask follows from `gone`, `death`, `held` and `due`. */
interface Kept {
  gone: boolean;
  lost: boolean;
  attempts: number;
  firstFailedAt: number;
  due: number;
  isPutOff: boolean;
  death: string | undefined;
  held: Held | undefined;
}

const fresh = (): Kept => ({
  gone: false,
  lost: false,
  attempts: 0,
  firstFailedAt: 0,
  due: 0,
  isPutOff: false,
  death: undefined,
  held: undefined,
});

const MOST_ATTEMPTS = 3;

/** The same by brute force: one object a record, nothing remembered that can be looked up. */
class Model {
  readonly records = new Map<number, Kept>();
  readonly holders = new Map<number, { slot: number; boot: string }>();
  time = 0;

  #record(number: number): Kept {
    let record = this.records.get(number);
    if (record === undefined) {
      record = fresh();
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

  #fail(record: Kept, failedAt: number, due: number): void {
    if (record.held === undefined) return;
    record.held = undefined;
    if (record.firstFailedAt === 0) record.firstFailedAt = failedAt;
    record.due = due;
    record.isPutOff = due > 0;
  }

  apply(fact: Fact): void {
    switch (fact[0]) {
      case 'gone':
      case 'lost':
        for (let i = fact[1]; i < fact[2]; i++) {
          const lost = this.#record(i).lost || fact[0] === 'lost';
          this.records.set(i, { ...fresh(), gone: true, lost });
        }
        return;
      case 'slotTaken':
        for (const [number, { slot }] of this.holders)
          if (slot !== 0 && slot === fact[1]) this.apply(['freed', number]);
        this.apply(['freed', fact[2]]);
        this.holders.set(fact[2], { slot: fact[1], boot: fact[3] });
        return;
      case 'freed':
        if (this.holders.delete(fact[1]))
          for (const record of this.records.values())
            if (record.held?.by === fact[1]) this.#fail(record, this.time, 0);
        return;
      case 'claimed': {
        for (let at = fact[1]; at < fact[2]; at++) {
          const record = this.#record(at);
          if (record.gone || record.death !== undefined) continue;
          this.#fail(record, this.time, 0);
          record.held = { by: fact[3], progress: undefined, ...this.#lease(fact[3], fact[5]) };
          record.attempts = fact[4];
          record.due = 0;
          record.isPutOff = false;
        }
        return;
      }
    }
    const record = this.#record(fact[1] as number);
    if (record.gone) return;
    switch (fact[0]) {
      case 'extended':
        if (record.held !== undefined) Object.assign(record.held, this.#lease(record.held.by, fact[2]));
        return;
      case 'released':
        this.#fail(record, this.time, 0);
        return;
      case 'putOff':
        this.#fail(record, fact[3], fact[2]);
        return;
      case 'attempted':
        this.#attempted(record, fact[2], 0, 0);
        return;
      case 'attemptedSince':
        this.#attempted(record, fact[2], fact[3], fact[4]);
        return;
      case 'died':
        this.records.set(fact[1], { ...fresh(), death: JSON.stringify(fact[2]) });
        return;
      case 'requeued':
        if (record.death !== undefined) this.records.set(fact[1], fresh());
        return;
      case 'progress':
        if (record.held !== undefined) record.held.progress = Buffer.from(fact[2]).toString('hex');
        return;
    }
  }

  #attempted(record: Kept, attempts: number, firstFailedAt: number, due: number): void {
    if (record.death !== undefined) return;
    if (record.held !== undefined) {
      if (record.firstFailedAt === 0) record.firstFailedAt = firstFailedAt;
      return;
    }
    Object.assign(record, { attempts, firstFailedAt, due, isPutOff: due > 0 });
  }

  expire(now: number, wallTime: number): void {
    for (const record of this.records.values()) {
      const { held } = record;
      if (held !== undefined && Number.isNaN(held.until)) held.until = now + held.length;
      if (held !== undefined && held.until <= now) held.expired = true;
      if (record.due <= wallTime) record.isPutOff = false;
    }
  }

  /** What is put off is again, whoever had seen that it was due: its time is told, not who has seen it. */
  forgetDue(): void {
    for (const record of this.records.values()) if (record.due > 0) record.isPutOff = true;
  }
}

function compare(fates: Fates, model: Model): void {
  const counts = { running: 0, delayed: 0, dead: 0 };
  const waiting: number[] = [];
  const spent: number[] = [];
  for (let i = 1; i < 20; i++) {
    const record = model.records.get(i) ?? fresh();
    const { held, death } = record;
    const isRunning = held !== undefined && !held.expired;
    if (isRunning) counts.running += 1;
    if (record.isPutOff) counts.delayed += 1;
    if (death !== undefined) counts.dead += 1;
    if (!record.gone && !isRunning && !record.isPutOff && death === undefined) waiting.push(i);
    if (!record.gone && !isRunning && death === undefined && record.attempts >= MOST_ATTEMPTS) spent.push(i);
    const claim = fates.claims.get(i);
    const found = fates.dead.get(i);
    const mine = [
      fates.goneSet.has(i),
      fates.lostSet.has(i),
      fates.attemptsOf(i),
      fates.firstFailureOf(i),
      claim?.incarnation,
      claim?.expired,
      claim?.progress && Buffer.from(claim.progress).toString('hex'),
      fates.attemptedOf(i)?.due ?? 0,
      found && JSON.stringify(found),
    ];
    const theirs = [
      record.gone,
      record.lost,
      record.attempts,
      record.firstFailedAt,
      held?.by,
      held?.expired,
      held?.progress,
      record.due,
      death,
    ];
    if (JSON.stringify(mine) !== JSON.stringify(theirs))
      throw new Error(`${i}: ${JSON.stringify(mine)}, and the model says ${JSON.stringify(theirs)}`);
  }
  const found = { running: fates.running, delayed: fates.delayedCount, dead: fates.dead.size };
  if (JSON.stringify(found) !== JSON.stringify(counts))
    throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(counts)}`);
  const line: number[] = [];
  for (let i = fates.taken.firstAbsent(1); i < 20; i = fates.taken.firstAbsent(i + 1)) line.push(i);
  if (line.join() !== waiting.join()) throw new Error(`in line: ${line}, not ${waiting}`);
  const worn = [...fates.spent].sort((a, b) => a - b);
  if (worn.join() !== spent.join()) throw new Error(`spent: ${worn}, not ${spent}`);
  const dues = [...model.records.values()].filter((one) => one.isPutOff).map(({ due }) => due);
  if (fates.nextDue > Math.min(...dues)) throw new Error(`${fates.nextDue} is after ${dues}`);
  if (dues.length === 0 && fates.nextDue < Number.POSITIVE_INFINITY) throw new Error('nothing is due');
  const oldest = [...fates.dead.entries()]
    .map(([i, { lastFailedAt }]) => [lastFailedAt, i] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])[0];
  if (fates.dead.oldest?.index !== oldest?.[1]) throw new Error(`${oldest?.[1]} is dead for the longest`);
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
  const program = fc.array(fc.oneof({ weight: 3, arbitrary: fact }, fc.integer({ min: 0, max: 40 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(program, (steps) => {
      const facts = sensible(steps.filter((step): step is Fact => typeof step !== 'number'));
      const fates = new Fates(HERE);
      const model = new Model();
      fates.allowAttempts(MOST_ATTEMPTS);
      for (const [time, step] of steps.entries()) {
        fates.at(time);
        model.time = time;
        if (typeof step === 'number') {
          fates.expire(step, 40 - step);
          model.expire(step, 40 - step);
        } else {
          const next = facts.shift();
          if (next === undefined) continue;
          state(fates, next);
          model.apply(next);
        }
        compare(fates, model);
      }
    }),
    { numRuns: 2000 },
  );
  t.pass('2000 programs');
});

t.test('a state that is told again is the same state', async (t) => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 60 }), wall, fc.boolean(), (facts, now, isSeen) => {
      const [one, two, three] = [new Fates(HERE), new Fates(HERE), new Fates(HERE)];
      two.allowAttempts(MOST_ATTEMPTS);
      const model = new Model();
      for (const [time, step] of sensible(facts).entries()) {
        one.at(time);
        model.time = time;
        state(one, step);
        model.apply(step);
        if (isSeen) one.expire(-1, now);
      }
      model.forgetDue();
      two.at(1000);
      one.tell(two);
      if (one.highestNamed !== two.highestNamed) throw new Error('the greatest that is named is another');
      compare(two, model);
      three.allowAttempts(MOST_ATTEMPTS);
      two.tell(three);
      compare(three, model);
      for (const fates of [two, three]) fates.expire(-1, now);
      model.expire(-1, now);
      compare(two, model);
      compare(three, model);
    }),
    { numRuns: 1000 },
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
          // Bytes are only lent.
          (...args: unknown[]) =>
            told.push([
              name,
              ...args.map((one) => (one instanceof Uint8Array ? Buffer.from(one) : one)),
            ] as unknown as Fact),
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

t.test(
  'facts of FEATURE_JOBS: what there cannot be is CORRUPT, and so is one that goes beyond its frame',
  async (t) => {
    const decode = (features: number, ...bytes: readonly number[]): void =>
      decodeFacts(Buffer.from(bytes), 0, bytes.length, new Fates(HERE), 'f', features);
    const outside = { code: 'CORRUPT', message: /does not end where its frame does/ };
    const odd = { code: 'CORRUPT', message: /indexes that there cannot be/ };
    const ones = (count: number): number[] => Array(count).fill(1);
    const bodies: Readonly<Record<number, number[]>> = {
      10: [...ones(22), 2, 0x61, 0x62],
      11: ones(18),
      12: ones(6),
      13: [...ones(6), 2, 0x31, 0x32],
      14: ones(22),
    };
    for (const [code, body] of Object.entries(bodies)) {
      t.doesNotThrow(() => decode(1, Number(code), ...body));
      t.throws(() => decode(1, Number(code), ...body.slice(0, -1)), outside, `fact ${code}, cut`);
      t.throws(
        () => decode(1, Number(code), ...Array(6).fill(0), ...body.slice(6)),
        odd,
        `fact ${code}, of 0`,
      );
      t.throws(
        () => decode(0, Number(code), ...body),
        { code: 'UNSUPPORTED_VERSION', message: /does not announce/ },
        `fact ${code}, not announced`,
      );
    }
    const long = (code: number, most: number): number[] => {
      const length = [0x80 | (most & 0x7f), 0x80 | ((most >> 7) & 0x7f), most >> 14];
      return [code, ...ones(code === 10 ? 22 : 6), ...length, ...Array(most).fill(0x61)];
    };
    t.doesNotThrow(() => decode(1, ...long(10, 1000)));
    t.throws(() => decode(1, ...long(10, 1001)), outside, 'a reason has 1000 bytes at most');
    t.doesNotThrow(() => decode(1, ...long(13, 65536)));
    t.throws(() => decode(1, ...long(13, 65537)), outside, 'progress has 64 KiB at most');
  },
);

t.test('a reason is cut between two characters', async (t) => {
  for (const [reason, length] of [
    ['a'.repeat(1000), 1000],
    ['a'.repeat(1001), 1000],
    ['ä'.repeat(501), 1000],
    [`a${'ä'.repeat(501)}`, 999],
    [`a${'😀'.repeat(300)}`, 997],
  ] as const) {
    const writer = new FactWriter(HEAD_BYTES);
    writer.begin();
    writer.died(1, { attempts: 1, firstFailedAt: 1, lastFailedAt: 1, reason });
    const fates = new Fates(HERE);
    decodeFacts(writer.bytes, HEAD_BYTES, writer.length, fates, 'f');
    const kept = fates.dead.get(1)?.reason ?? '';
    t.equal(Buffer.byteLength(kept), length);
    t.ok(reason.startsWith(kept));
  }
});

t.test('a writer for a journal that does not announce them takes no such facts', async (t) => {
  const writer = new FactWriter(HEAD_BYTES);
  writer.takesJobs = false;
  writer.begin();
  t.throws(() => writer.requeued(1), { code: 'DISK_FULL', message: /earlier version/ });
  t.equal(writer.frameIsEmpty, true);
});

t.test('a lease of another boot has ended, however it was extended', async (t) => {
  const fates = new Fates(HERE);
  fates.slotTaken(1, 1, ELSEWHERE);
  fates.claimed(5, 6, 1, 1, leaseUntil(1_000_000));
  fates.extended(5, leaseUntil(2_000_000));
  t.equal(fates.running, 0);
  t.equal(fates.taken.firstAbsent(1), 1);
  t.equal(fates.taken.has(5), false);
  t.equal(fates.attemptsOf(5), 1, 'it counts as an attempt');
});

t.test('a lease elsewhere that has no slot lasts as long as it is, from when it was seen', async (t) => {
  const fates = new Fates(HERE);
  fates.slotTaken(0, 1, ELSEWHERE);
  fates.slotTaken(0, 2, ELSEWHERE);
  fates.claimed(5, 6, 1, 1, { until: 7, lengthMs: 50 });
  t.same([fates.running, fates.nextExpiry], [1, Number.POSITIVE_INFINITY], 'its clock is not ours');
  t.equal(fates.expire(1000, 0), false);
  t.same([fates.running, fates.nextExpiry], [1, 1050]);
  fates.extended(5, { until: 8, lengthMs: 70 });
  t.equal(fates.expire(1040, 0), false);
  t.equal(fates.expire(1050, 0), false, 'an extended one begins again');
  t.equal(fates.nextExpiry, 1110);
  t.same(fates.slotsWithClaims(undefined), [], 'nobody probes');
  t.equal(fates.expire(1110, 0), true);
  t.same([fates.running, fates.taken.firstAbsent(5), fates.attemptsOf(5)], [0, 5, 1]);
});

t.test(
  'a succession forgets who has neither slot nor claims, and says of the others what they said',
  async (t) => {
    const fates = new Fates(HERE);
    fates.slotTaken(0, 1, HERE);
    fates.slotTaken(0, 2, ELSEWHERE);
    fates.slotTaken(3, 4, HERE);
    fates.claimed(5, 6, 2, 1, { until: 7, lengthMs: 50 });
    fates.expire(1000, 0);
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
  t.equal(fates.taken.firstAbsent(1), 2);
  fates.slotTaken(1, 8, HERE);
  t.equal(fates.taken.firstAbsent(1), 1);
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
    judge((fates) => {
      fates.died(1, { attempts: 1, firstFailedAt: 1, lastFailedAt: 1, reason: '' });
      fates.requeued(1);
      fates.claimed(1, 2, 7, 1, leaseUntil(200));
    }, 100),
    'lost',
    'there, named so again, and this one has ended',
  );
  t.equal(
    judge((fates) => fates.expire(100, 0), 99),
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
  t.equal(fates.expire(200, 0), true);
  t.same([fates.running, fates.nextExpiry], [2, 300], 'the extended one did not end');
  t.equal(fates.expire(299, 0), false);
  t.equal(fates.expire(300, 0), true);
  t.same([fates.running, fates.nextExpiry], [1, 1000]);
});
