import fc from 'fast-check';
import t from 'tap';
import { decodeFacts } from '../../src/journal/fact-reader.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import type { FactSink } from '../../src/journal/facts.js';
import { Fates } from '../../src/journal/fates.js';
import type { KeptWhen, Schedule } from '../../src/journal/schedule-facts.js';
import { cronTimes, everyTimes, lastTick } from '../../src/queue/tick-times.js';
import { assert, bytesUpTo, check, typed, uint48 } from './check.js';

const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' });
const text = (most: number): fc.Arbitrary<string> => fc.string({ maxLength: most, unit: 'grapheme' });
const when: fc.Arbitrary<KeptWhen> = fc.oneof(
  fc.record({
    kind: fc.constant('cron' as const),
    cron: text(60),
    zone: text(20),
    zoneGiven: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('every' as const),
    everyMs: uint48.map((every) => every + (every === 0 ? 1 : 0)),
  }),
);
const schedule: fc.Arbitrary<Schedule> = fc.record({
  name,
  createdAt: uint48,
  when,
  missed: fc.constantFrom('skip' as const, 'last' as const, 'all' as const),
  priority: fc.nat(9),
  front: fc.boolean(),
  delayMs: uint48,
  key: fc.option(text(50), { nil: undefined }),
  durability: fc.constantFrom(undefined, 'written' as const, 'synced' as const),
  headers: fc.option(
    fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    {
      nil: undefined,
    },
  ),
  codec: text(20),
  value: bytesUpTo(3000),
  transforms: fc.option(text(50), { nil: undefined }),
});
const index = fc.integer({ min: 1, max: 2 ** 47 });
const fact = fc.oneof(
  schedule.map((one) => ['scheduled', one] as const),
  name.map((one) => ['unscheduled', one] as const),
  fc.tuple(name, uint48, index).map((args) => ['ticking', ...args] as const),
  name.map((one) => ['ticked', one] as const),
  name.map((one) => ['unticked', one] as const),
);

function encode(facts: readonly (readonly [string, ...unknown[]])[]): Buffer {
  const writer = new FactWriter(0);
  writer.begin();
  for (const [kind, ...args] of facts) Reflect.apply(Reflect.get(writer, kind), writer, args);
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}

function decode(bytes: Buffer, to = bytes.length): unknown[] {
  const told: unknown[] = [];
  const sink = new Proxy({} as FactSink, {
    get:
      (_, kind) =>
      (...args: unknown[]) =>
        told.push([String(kind), ...args]),
  });
  decodeFacts(bytes, 0, to, sink, 'f');
  return told;
}

t.test('facts about schedules come out of their bytes as they went in', (t) => {
  check(
    t,
    fc.array(fact, { maxLength: 8 }),
    (facts) => {
      const bytes = encode(facts);
      const told = JSON.stringify(decode(bytes));
      assert(told === JSON.stringify(facts), told);
      // What is told is a copy: the bytes are only lent.
      const kept = decode(bytes);
      bytes.fill(0);
      assert(JSON.stringify(kept) === JSON.stringify(facts), 'it changes with the bytes');
    },
    500,
  );
  t.end();
});

t.test(
  'any bytes are facts about schedules, CORRUPT or of a later version, and nothing reads beyond them',
  (t) => {
    const harmed = fc
      .tuple(fc.array(fact, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(255), fc.nat())
      .map(([facts, at, value, cut]) => {
        const bytes = encode(facts);
        bytes[at % bytes.length] = value;
        return bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
      });
    const crafted = fc
      .tuple(fc.integer({ min: 20, max: 29 }), bytesUpTo(80))
      .map(([code, bytes]) => Buffer.concat([Buffer.of(code), bytes]));
    check(t, fc.tuple(fc.oneof(harmed, crafted), bytesUpTo(20)), ([bytes, behind]) => {
      const outcome = (all: Buffer): string =>
        JSON.stringify(
          typed(['CORRUPT', 'UNSUPPORTED_VERSION'], () => decode(all, bytes.length)) ?? 'refused',
        );
      assert(outcome(bytes) === outcome(Buffer.concat([bytes, behind])), 'it depends on what stands behind');
      const fates = new Fates('');
      typed(['CORRUPT', 'UNSUPPORTED_VERSION'], () => decodeFacts(bytes, 0, bytes.length, fates, 'f'));
      const again = new Fates('');
      fates.tell(again);
      assert(again.schedules.size === fates.schedules.size, 'told again, it is another');
    });
    t.end();
  },
);

t.test('what a later version says of a schedule is refused', async (t) => {
  const one: Schedule = {
    name: 's',
    createdAt: 1,
    when: { kind: 'every', everyMs: 1 },
    missed: 'skip',
    priority: 0,
    front: false,
    delayMs: 0,
    key: undefined,
    durability: undefined,
    headers: undefined,
    codec: '',
    value: Buffer.alloc(0),
  };
  const whole = encode([['scheduled', one]]);
  const later = { code: 'UNSUPPORTED_VERSION' };
  // Behind code, name and createdAt: kind of when; behind its length: missed, priority, flags, durability.
  for (const [at, value, what] of [
    [9, 3, 'another kind of when'],
    [16, 3, 'another way with missed ticks'],
    [18, 8, 'another flag'],
    [19, 3, 'another durability'],
  ] as const) {
    const bytes = Buffer.from(whole);
    t.not(bytes[at], value);
    bytes[at] = value;
    t.throws(() => decode(bytes), later, what);
  }
  for (const code of [26, 29]) t.throws(() => decode(Buffer.of(code, 1, 65)), later, `code ${code}`);
  const odd = { code: 'CORRUPT', message: /there cannot be/ };
  t.throws(() => decode(encode([['ticking', 's', 1, 0]])), odd, 'no index');
  t.throws(() => decode(encode([['ticked', '']])), odd, 'no name');
  const never = Buffer.from(whole);
  never.fill(0, 10, 16);
  t.throws(() => decode(never), odd, 'every 0 ms');
  for (let to = 1; to < whole.length; to++)
    t.throws(() => decode(whole, to), { code: 'CORRUPT', message: /does not end/ }, `cut at ${to}`);
});

t.test('the last of many ticks is found as by walking through them', (t) => {
  const expression = fc.constantFrom(
    '* * * * * *',
    '*/7 * * * *',
    '30 2 * * *',
    '*/20 1-3 * * *',
    '0 0 29 2 *',
    '15 10 * * mon-fri',
  );
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
  const from = fc.integer({ min: Date.UTC(2029, 0, 1), max: Date.UTC(2031, 0, 1) });
  const every = fc.integer({ min: 10, max: 5_000_000 });
  check(
    t,
    fc.tuple(fc.oneof(fc.tuple(expression, zone), every), from, fc.nat(3 * 24 * 3600 * 1000)),
    ([kind, after, span]) => {
      const times = typeof kind === 'number' ? everyTimes(after - 12_345, kind) : cronTimes(...kind);
      // Walking takes too long where there is one every moment.
      const upTo =
        after +
        (typeof kind === 'number'
          ? Math.min(span, kind * 50)
          : kind[0].startsWith('* *')
            ? span % 90_000
            : span);
      let walked: number | undefined;
      for (let tick = times.next(after); tick !== undefined && tick <= upTo; tick = times.next(tick))
        walked = tick;
      const found = lastTick(times, after, upTo);
      assert(found === walked, `${found}, not ${walked}`);
    },
    150,
  );
  t.end();
});
