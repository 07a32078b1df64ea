import { suite } from './suite.js';
import { untyped } from './values.js';

const MINUTE = 60_000;

export const schedules = suite('schedules', (test) => {
  test.timed('a value is enqueued at each tick, once, however many openers there are', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.schedule('beat', { everyMs: 1000 }, 'tick');
    t.equal(await queue.length(), 0);
    const got: string[] = [];
    await place.until('three ticks', async () => {
      await place.pass(200);
      got.push(...(await other.flush()));
      return got.length >= 3;
    });
    t.same(got.slice(0, 3), ['tick', 'tick', 'tick']);
    t.equal(await other.unschedule('beat'), true);
    await queue.clear();
    await place.pass(3000);
    t.equal(await queue.length(), 0);
    t.equal(await queue.unschedule('beat'), false);
  });

  test.timed('each tick is enqueued at its time', async (t, place) => {
    if (place.clock === undefined) return void t.pass('time cannot be moved here');
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.schedule('beat', { everyMs: 10_000 }, 'tick');
    const [info] = await other.schedules();
    t.match(info, { name: 'beat', when: { everyMs: 10_000 }, last: undefined });
    const first = info?.next.getTime() ?? 0;
    t.ok(first > place.clock.now() && first <= place.clock.now() + 10_000);
    await place.pass(first - place.clock.now() - 1000);
    t.equal(await queue.length(), 0);
    await place.pass(1000 + 5 * 10_000 + 5000);
    await place.until('six ticks', async () => (await queue.length()) >= 6);
    t.equal(await queue.length(), 6);
    const [later] = await other.schedules();
    t.ok((later?.next.getTime() ?? 0) > place.clock.now());
    t.ok(later?.last instanceof Date);
  });

  test.timed('cron expressions, in a time zone', async (t, place) => {
    if (place.clock === undefined) return void t.pass('time cannot be moved here');
    place.clock.setWall(Date.UTC(2031, 2, 1, 10, 30));
    const queue = await place.openQueue();
    await queue.schedule('hourly', { cron: '0 * * * *', timezone: 'UTC' }, 'hour');
    await queue.schedule('tokyo', { cron: '0 9 * * *', timezone: 'Asia/Tokyo' }, 'morning');
    const next = Object.fromEntries(
      (await queue.schedules()).map((one) => [one.name, one.next.toISOString()]),
    );
    t.same(next, { hourly: '2031-03-01T11:00:00.000Z', tokyo: '2031-03-02T00:00:00.000Z' });
    await place.pass(31 * MINUTE);
    await place.until('the tick', async () => (await queue.length()) === 1);
    t.same(await queue.flush(), ['hour']);
  });

  test('schedule replaces the one of that name; schedules tells of all', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    t.same(await queue.schedules(), []);
    await queue.schedule('a', { everyMs: 3_600_000 }, 'x');
    await queue.schedule('b', { cron: '*/5 * * * *' }, 'x');
    await other.schedule('a', { everyMs: 7_200_000 }, 'y');
    const all = (await queue.schedules()).map(({ name, when }) => [name, when]);
    t.same(
      all.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      [
        ['a', { everyMs: 7_200_000 }],
        ['b', { cron: '*/5 * * * *' }],
      ],
    );
    await queue.close();
    await other.close();
    t.equal((await (await place.openQueue()).schedules()).length, 2, 'they are there for who opens again');
  });

  for (const [missed, expected] of [
    ['skip', 0],
    ['last', 1],
    ['all', 5],
    [undefined, 1],
  ] as const)
    test.timed(`ticks that nobody was there for: missed ${missed}`, async (t, place) => {
      if (place.clock === undefined) return void t.pass('time cannot be moved here');
      const queue = await place.openQueue();
      await queue.schedule('beat', { everyMs: MINUTE }, 'tick', { missed });
      const next = (await queue.schedules())[0]?.next.getTime() ?? 0;
      await queue.close();
      await place.pass(next - place.clock.now() + 4 * MINUTE + MINUTE / 2);
      const again = await place.openQueue();
      await place.pass(1000);
      await place.until('what was missed', async () => (await again.length()) >= expected);
      t.equal(await again.length(), expected);
      await place.pass(MINUTE);
      await place.until('the next tick', async () => (await again.length()) >= expected + 1);
      t.equal(await again.length(), expected + 1, 'and it goes on');
    });

  test.timed('the options of enqueueing go with each tick', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('before');
    await queue.schedule('beat', { everyMs: 1000 }, 'tick', { priority: 5, headers: { by: 'schedule' } });
    await place.until('a tick', async () => {
      await place.pass(200);
      return (await queue.length()) >= 2;
    });
    const delivery = await queue.claim();
    t.equal(delivery?.value, 'tick');
    t.equal(delivery?.headers['by'], 'schedule');
  });

  test('what cannot be is INVALID_OPTION, INVALID_VALUE or CODEC, and nothing was scheduled', async (t, place) => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'number' ? { issues: [{ message: 'no number' }] } : { value },
      },
    };
    const queue = await place.openQueue<unknown>({ schema });
    const every = { everyMs: 1000 };
    for (const when of [
      null,
      {},
      { everyMs: 0 },
      { everyMs: -1 },
      { everyMs: '1' },
      { cron: 'never' },
      { cron: 5 },
      { cron: '* * * * *', timezone: 'Atlantis' },
      { cron: '* * * * *', everyMs: 1 },
    ])
      await t.rejects(
        queue.schedule('a', untyped(when), 'x'),
        { code: 'INVALID_OPTION' },
        JSON.stringify(when),
      );
    for (const name of ['', 5, null])
      await t.rejects(queue.schedule(untyped(name), every, 'x'), { code: 'INVALID_OPTION' }, `${name}`);
    for (const options of [{ missed: 'some' }, { priority: 10 }, { unknown: 1 }])
      await t.rejects(queue.schedule('a', every, 'x', untyped(options)), { code: 'INVALID_OPTION' });
    await t.rejects(queue.schedule('a', every, 5), { code: 'INVALID_VALUE' });
    await t.rejects(queue.schedule('a', every, 10n), { code: 'CODEC' });
    t.same(await queue.schedules(), []);
  });
});
