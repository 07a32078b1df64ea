import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onPath } from '../../src/disk/memory-fault.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { LEAST_EVERY_MS } from '../../src/queue/schedule-options.js';
import { openEngine } from '../store/engines.js';
import { MovedClock } from '../store/moved-clock.js';
import { settle } from './settle.js';
import { DIRECTORY, openOn, openTicking, quiet, START, ticksThere } from './tick-world.js';

/** A machine with a clock; `open` is another process on it. */
function world(t: Test) {
  const machine = new MemoryDisk();
  const clock = new MovedClock();
  const open = async (options: Partial<QueueOptions<string>> = {}) => {
    const disk = machine.opener();
    const queue = await openTicking(t, disk, clock, options);
    return { queue, die: () => machine.kill(disk) };
  };
  const ticks = async (): Promise<number[]> => {
    const engine = await openEngine(t, machine, { directory: DIRECTORY, clock });
    const found = [...ticksThere(engine).values()];
    await engine.close();
    return found.flatMap((tick) => (tick === undefined ? [] : [tick.time]));
  };
  /** Moves the clock on, in steps, and lets everybody do what is due after each. */
  const pass = async (ms: number, stepMs = ms): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await quiet(machine);
      clock.advance(stepMs);
      await quiet(machine);
    }
  };
  return { machine, clock, open, ticks, pass };
}

const seconds = (...numbers: number[]): number[] => numbers.map((number) => START + number * 1000);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
const last = async (queue: Queue<string>): Promise<number | undefined> =>
  (await queue.schedules())[0]?.last?.getTime();

t.test('every second of a minute is a message, once, though one of two processes is killed', async (t) => {
  const { open, ticks, pass } = world(t);
  // It hears of the schedule as of anything that others do.
  const stays = await open({ indexer: { intervalMs: 250 } });
  let other = await open();
  await other.queue.schedule('s', { everyMs: 1000 }, 'tick');
  await pass(20_000, 1000);
  other.die();
  await pass(20_000, 1000);
  other = await open();
  await pass(20_000, 1000);
  t.same(await ticks(), seconds(...upTo(60)));
  t.same(await stays.queue.flush(), Array(60).fill('tick'));
  t.equal(await other.queue.length(), 0);
});

t.test('nobody has to be there but one of them, and it goes on over openings', async (t) => {
  const { open, ticks, pass } = world(t);
  const first = await open();
  await first.queue.schedule('s', { everyMs: 1000 }, 'tick');
  await pass(2000, 1000);
  await first.queue.close();
  const second = await open();
  await pass(2000, 1000);
  second.die();
  await open();
  await pass(2000, 1000);
  t.same(await ticks(), seconds(1, 2, 3, 4, 5, 6));
});

t.test('who looks at nothing in the background hears of a schedule within a minute', async (t) => {
  const { open, ticks, pass } = world(t);
  await open({ indexer: false });
  const other = await open();
  await other.queue.schedule('s', { cron: '30 * * * * *', timezone: 'UTC' }, 'tick');
  other.die();
  await pass(59_000, 1000);
  t.same(await ticks(), [], 'it has not looked yet');
  await pass(1000);
  t.same(await ticks(), seconds(30));
  await pass(30_000, 1000);
  t.same(await ticks(), seconds(30, 90));
});

for (const [missed, expected] of [
  ['skip', [1, 2, 8, 9]],
  ['last', [1, 2, 7, 8, 9]],
  ['all', [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [undefined, [1, 2, 7, 8, 9]],
] as const) {
  t.test(`ticks that nobody was there for: ${missed ?? 'nothing said'}`, async (t) => {
    const { clock, open, ticks, pass } = world(t);
    const first = await open();
    await first.queue.schedule('s', { everyMs: 1000 }, 'tick', { missed });
    await pass(2000, 1000);
    await first.queue.close();
    clock.advance(5500);
    await open();
    await pass(1500, 500);
    await pass(500);
    t.same(await ticks(), seconds(...expected));
  });
}

t.test('who is there misses nothing, though it gets to it late', async (t) => {
  const { open, ticks, pass } = world(t);
  const { queue } = await open();
  await queue.schedule('s', { everyMs: 1000 }, 'tick', { missed: 'skip' });
  await settle(20);
  await pass(30_000);
  t.same(await ticks(), seconds(...upTo(30)));
});

t.test('what is older than a minute was slept through, also by who is there', async (t) => {
  for (const [missed, expected] of [
    ['skip', [3600]],
    ['last', [3540, 3600]],
  ] as const) {
    const { open, ticks, pass } = world(t);
    const { queue } = await open();
    await queue.schedule('s', { everyMs: 60_000 }, 'tick', { missed });
    await settle(20);
    await pass(3_600_000);
    t.same(await ticks(), seconds(...expected), missed);
  }
});

t.test('no tick is before the schedule was made', async (t) => {
  for (const missed of ['skip', 'last', 'all'] as const) {
    const { clock, open, ticks, pass } = world(t);
    clock.setWall(START + 30_500);
    const { queue } = await open();
    await queue.schedule('s', { cron: '* * * * *', timezone: 'UTC' }, 'tick', { missed });
    await settle(20);
    t.same(await ticks(), [], missed);
    await pass(29_499);
    t.same(await ticks(), [], missed);
    await pass(1);
    t.same(await ticks(), seconds(60), missed);
  }
});

t.test('a schedule that is declared again goes on, and one with another time begins anew', async (t) => {
  const { open, ticks, pass, machine } = world(t);
  const { queue } = await open();
  await queue.schedule('s', { everyMs: 1000 }, 'one');
  await pass(2400, 600);
  t.same(await ticks(), seconds(1, 2));
  const before = machine.bytes(`${DIRECTORY}/duro.fate.1`);
  await queue.schedule('s', { everyMs: 1000 }, 'one');
  t.same(machine.bytes(`${DIRECTORY}/duro.fate.1`), before, 'the same again states nothing');
  const again = await open();
  await again.queue.schedule('s', { everyMs: 1000 }, 'two', { headers: { a: 'b' } });
  t.equal(await last(again.queue), START + 2000);
  await pass(600);
  t.same(await ticks(), seconds(1, 2, 3), 'counted on from where it was');
  await again.queue.schedule('s', { everyMs: 500 }, 'three');
  t.same(await again.queue.schedules(), [
    { name: 's', when: { everyMs: 500 }, next: new Date(START + 3500), last: undefined },
  ]);
  await pass(600);
  t.same(await ticks(), seconds(1, 2, 3, 3.5));
  const deliveries = await again.queue.claimMany(4);
  t.same(
    deliveries.map(({ value, headers }) => [value, headers]),
    [
      ['one', {}],
      ['one', {}],
      ['two', { a: 'b' }],
      ['three', {}],
    ],
  );
});

t.test('unscheduled, it ticks no more, here and elsewhere', async (t) => {
  const { open, ticks, pass } = world(t);
  const { queue } = await open();
  const other = await open();
  await queue.schedule('a', { everyMs: 1000 }, 'tick');
  await queue.schedule('b', { everyMs: 1000 }, 'tock');
  await pass(1000);
  t.equal(await other.queue.unschedule('a'), true);
  t.equal(await other.queue.unschedule('a'), false);
  await pass(1000);
  t.same(await ticks(), seconds(1, 1, 2));
  t.same(
    (await queue.schedules()).map(({ name }) => name),
    ['b'],
  );
  await queue.close();
  const again = await open();
  t.equal(await again.queue.unschedule('b'), true);
  await pass(3000, 1000);
  t.equal((await ticks()).length, 3);
});

t.test('the day that has no half past two, and the hour that comes twice', async (t) => {
  const { clock, open, ticks, pass } = world(t);
  const from = Date.UTC(2030, 2, 30, 12);
  clock.setWall(from);
  const { queue } = await open();
  await queue.schedule('daily', { cron: '30 2 * * *', timezone: 'Europe/Berlin' }, 'tick', { missed: 'all' });
  clock.setWall(Date.UTC(2030, 3, 2, 12));
  await pass(60_000);
  t.same(
    (await ticks()).map((time) => new Date(time).toISOString()),
    ['2030-03-31T01:00:00.000Z', '2030-04-01T00:30:00.000Z', '2030-04-02T00:30:00.000Z'],
    'at three in the morning, summer time',
  );
  await queue.clear();
  clock.setWall(Date.UTC(2030, 9, 26, 12));
  await queue.schedule('daily', { cron: '30 2 * * *', timezone: 'Europe/Berlin' }, 'tick', {
    missed: 'last',
  });
  await pass(60_000);
  await queue.clear();
  clock.setWall(Date.UTC(2030, 9, 28, 12));
  await queue.schedule('daily', { cron: '30 2 * * *', timezone: 'Europe/Berlin' }, 'tick', { missed: 'all' });
  await pass(60_000);
  t.same(
    (await ticks()).map((time) => new Date(time).toISOString()),
    ['2030-10-27T00:30:00.000Z', '2030-10-28T01:30:00.000Z'],
    'once, in summer time',
  );
  t.same(await queue.schedules(), [
    {
      name: 'daily',
      when: { cron: '30 2 * * *', timezone: 'Europe/Berlin' },
      next: new Date('2030-10-29T01:30:00.000Z'),
      last: new Date('2030-10-28T01:30:00.000Z'),
    },
  ]);
});

t.test('a cron expression with seconds', async (t) => {
  const { open, ticks, pass } = world(t);
  const { queue } = await open();
  await queue.schedule('s', { cron: '*/5 * * * * *' }, 'tick');
  t.same((await queue.schedules())[0]?.when, { cron: '*/5 * * * * *' }, 'as it was given');
  await pass(20_000, 1000);
  t.same(await ticks(), seconds(5, 10, 15, 20));
});

t.test('a wall clock that is set back and forth', async (t) => {
  const { clock, open, ticks, pass } = world(t);
  const { queue } = await open();
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await pass(3000, 1000);
  clock.setWall(START);
  await pass(3000, 500);
  t.same(await ticks(), seconds(1, 2, 3), 'what was enqueued is not again');
  await pass(1000);
  t.same(await ticks(), seconds(1, 2, 3, 4));
  clock.setWall(START + 3_600_000);
  // The timer was set for the next second, by the clock of before.
  await pass(60_000);
  const found = await ticks();
  t.same(found.slice(0, 5), seconds(1, 2, 3, 4, 3600), 'of an hour that was not, the last');
  t.same(found.slice(5), seconds(...upTo(60).map((at) => 3600 + at)));
  clock.setWall(START + 10_000);
  const other = await open();
  await pass(60_000);
  t.equal((await ticks()).length, found.length, 'nor by who has just come');
  t.equal((await other.queue.schedules())[0]?.next.getTime(), START + 3_661_000);
});

t.test(
  'ticks are messages of the codec of who made the schedule, enqueued by whoever is there',
  async (t) => {
    const { open, pass } = world(t);
    const maker = await open({ codec: 'v8' });
    await maker.queue.schedule('s', { everyMs: 1000 }, 'tick', { headers: { of: 'maker' } });
    await maker.queue.close();
    const other = await open();
    await pass(1000);
    await t.rejects(other.queue.read(1), { code: 'CODEC' });
    const again = await open({ codec: 'v8' });
    const delivery = await again.queue.claim();
    t.same([delivery?.value, delivery?.headers], ['tick', { of: 'maker' }]);
  },
);

t.test('ticks stand in line as they were ordered to', async (t) => {
  const { clock, open, pass } = world(t);
  const { queue } = await open();
  await queue.schedule('urgent', { everyMs: 1000 }, 'urgent', { priority: 7 });
  await queue.schedule('first', { everyMs: 1000 }, 'first', { front: true });
  await queue.schedule('later', { everyMs: 1000 }, 'later', { delayMs: 500, durability: 'written' });
  await queue.schedule('keyed', { everyMs: 1000 }, 'keyed', { key: 'k', headers: { a: 'b' } });
  await queue.enqueue('plain');
  await pass(1000);
  for (const name of ['urgent', 'first', 'later', 'keyed']) t.equal(await queue.unschedule(name), true);
  t.same(await queue.peekMany(9), ['urgent', 'first', 'plain', 'keyed']);
  t.equal((await queue.stats()).delayed, 1);
  await pass(499);
  t.equal(await queue.length(), 4);
  await pass(1);
  t.same(await queue.flush(), ['urgent', 'first', 'plain', 'later', 'keyed']);
  await queue.schedule('k', { everyMs: 1000 }, 'keyed', { key: 'k' });
  await pass(2000, 1000);
  const held = await queue.claim();
  t.same([held?.value, await queue.claim()], ['keyed', undefined], 'one at a time');
  t.equal(clock.now(), START + 3500);
});

t.test('a full store has its ticks later', async (t) => {
  const { open, ticks, pass } = world(t);
  const { queue } = await open({ maxFiles: 1, maxFileSize: 400 });
  const told: string[] = [];
  queue.on('error', ({ code }) => told.push(code));
  await queue.schedule('s', { everyMs: 1000 }, 'tick', { missed: 'all' });
  await queue.enqueue('x'.repeat(200));
  await pass(3000, 1000);
  t.same(await ticks(), []);
  t.ok(told.length > 0 && told.every((code) => code === 'STORE_FULL'), told.join());
  await queue.delete(1);
  await pass(4000, 1000);
  t.same((await ticks()).slice(0, 2), seconds(1, 2));
});

t.test('a disk that takes no more between what is said of a tick and the tick', async (t) => {
  const { open, ticks, pass, machine } = world(t);
  const { queue } = await open();
  const told: string[] = [];
  queue.on('error', ({ code }) => told.push(code));
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await settle(20);
  machine.onOperation = inject({ error: 'ENOSPC' }, onKind('write'), onPath(/\.dat$/));
  await pass(1000);
  t.same(told, ['DISK_FULL']);
  machine.onOperation = undefined;
  t.equal(await queue.enqueue('other'), 1, 'the index that was meant for it');
  t.equal(await queue.dequeue(), 'other');
  await pass(1000);
  t.same(await ticks(), seconds(1, 2));
  t.same(await queue.flush(), ['tick', 'tick']);
});

t.test('a message too large for one process is left to others', async (t) => {
  const { open, ticks, pass } = world(t);
  const large = await open();
  await large.queue.schedule('large', { everyMs: 1000 }, 'x'.repeat(500));
  await large.queue.schedule('small', { everyMs: 1000 }, 'tick');
  await large.queue.close();
  const small = await open({ maxRecordSize: 100 });
  await pass(1000);
  t.same((await small.queue.flush()).length, 1);
  await t.rejects(small.queue.schedule('other', { everyMs: 1000 }, 'x'.repeat(500)), {
    code: 'RECORD_TOO_LARGE',
  });
  await open();
  await pass(1000);
  t.same(await ticks(), seconds(1, 2, 2));
});

t.test('schedules live as long as the journal is succeeded', async (t) => {
  const { machine, clock, pass } = world(t);
  const limits = {
    reserveBytes: 1024,
    leastReserveBytes: 256,
    leastGainBytes: 64,
    shortenFromBytes: 0,
    shortenFactor: 1.3,
  };
  const queue = await openOn(machine.opener(), clock, {}, limits);
  t.teardown(() => queue.close());
  await queue.schedule('s', { cron: '* * * * * *', timezone: 'UTC' }, 'tick', { missed: 'all' });
  for (let at = 0; at < 20; at++) {
    await pass(1000);
    t.equal(await queue.dequeue(), 'tick');
  }
  t.equal(machine.bytes(`${DIRECTORY}/duro.fate.1`), undefined, 'it was succeeded');
  const other = await openTicking(t, machine.opener(), clock);
  t.equal(await last(other), START + 20_000);
  await pass(1000);
  t.same(await other.flush(), ['tick']);
});

t.test('what is no schedule', async (t) => {
  const { open } = world(t);
  const { queue } = await open();
  const good = { everyMs: 1000 };
  const refused = { code: 'INVALID_OPTION' };
  for (const name of ['', '-a', 'a b', 'a.', 'a/b', 'ä', '.a', 'a'.repeat(101), 7 as never])
    await t.rejects(queue.schedule(name, good, 'v'), refused, `name ${name}`);
  await queue.schedule(`${'a'.repeat(97)}._b`, good, 'v');
  await t.rejects(queue.schedule(`${'a'.repeat(97)}._B`, good, 'v'), refused, 'differs only by case');
  for (const everyMs of [0, -1, 1.5, LEAST_EVERY_MS - 1, Number.POSITIVE_INFINITY, Number.NaN, '5' as never])
    await t.rejects(queue.schedule('s', { everyMs }, 'v'), refused, `everyMs ${everyMs}`);
  for (const cron of [
    '',
    'x',
    '* * * *',
    '* * * * * * *',
    '61 * * * *',
    '2030-01-01T00:00:00',
    '@daily',
    5 as never,
  ])
    await t.rejects(queue.schedule('s', { cron }, 'v'), refused, `cron ${cron}`);
  await t.rejects(queue.schedule('s', { cron: '0 0 30 2 *' }, 'v'), { ...refused, message: /some day/ });
  await t.rejects(queue.schedule('s', { cron: '* * * * *', timezone: 'Nowhere/City' }, 'v'), {
    ...refused,
    message: /timezone/,
  });
  for (const when of [
    undefined,
    {},
    { cron: '* * * * *', everyMs: 1000 },
    { everyMs: 1000, timezone: 'UTC' },
  ])
    await t.rejects(queue.schedule('s', when as never, 'v'), refused, JSON.stringify(when));
  await t.rejects(queue.schedule('s', good, 'v', { id: 'x' }), { ...refused, message: /^id: / });
  await t.rejects(queue.schedule('s', good, 'v', { missed: 'some' as never }), refused);
  await t.rejects(queue.schedule('s', good, 'v', { lease: 1 } as never), refused);
  await t.rejects(queue.schedule('s', good, 'v', { headers: { a: 1 as never } }), refused);
  await t.rejects(queue.schedule('s', good, 'v', { durability: 'soon' as never }), refused);
  for (const order of [{ priority: 10 }, { delayMs: -1 }, { key: '' }, { front: 1 as never }])
    await t.rejects(queue.schedule('s', good, 'v', order), refused, JSON.stringify(order));
  await t.rejects(queue.schedule('s', good, undefined as never), { code: 'CODEC' });
  await t.rejects(queue.schedule('s', good, 'v', { signal: AbortSignal.abort(new Error('enough')) }), {
    message: 'enough',
  });
  await t.rejects(queue.unschedule('a b'), refused);
  t.equal((await queue.schedules()).length, 1, 'nothing of that was kept');
  await queue.close();
  await t.rejects(queue.schedule('s', good, 'v'), { code: 'CLOSED' });
  await t.rejects(queue.schedules(), { code: 'CLOSED' });
  await t.rejects(queue.unschedule('s'), { code: 'CLOSED' });
});

t.test('made, replaced and ended on the device when the call resolves', async (t) => {
  const { machine, clock, open } = world(t);
  const { queue } = await open({ durability: 'written' });
  const names = async (): Promise<string[]> => {
    const fork = machine.fork(1);
    fork.powerCut({ writes: 'lose', names: 'lose' });
    const survivor = await openTicking(t, fork.opener(), clock);
    const found = (await survivor.schedules()).map(({ name }) => name);
    await survivor.close();
    return found;
  };
  await queue.schedule('a', { everyMs: 1000 }, 'tick');
  t.same(await names(), ['a']);
  await queue.schedule('b', { everyMs: 1000 }, 'tick');
  t.same(await names(), ['a', 'b']);
  await queue.unschedule('a');
  t.same(await names(), ['b']);
});

t.test('closing ends it: a tick under way is waited for, and none begins', async (t) => {
  const { clock, open, ticks } = world(t);
  const { queue } = await open();
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await settle(20);
  clock.advance(1000);
  await settle(1);
  await queue.close();
  clock.advance(5000);
  await settle(40);
  t.ok((await ticks()).length <= 1);
});
