import t from 'tap';
import { osDisk } from '../../src/disk/os.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { ticksThere } from '../queue/tick-world.js';
import { type Program, startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { ScheduleOrders } from './schedule-child.js';

const EVERY_MS = 100;
const MORE = 8;
const DEADLINE_MS = 60_000;

const isOpened = (message: unknown): message is { opened: true } =>
  typeof message === 'object' && message !== null && 'opened' in message;

t.test('of two processes one is killed and comes again: each tick is a message, once', async (t) => {
  const directory = await temporaryDirectory(t);
  const orders: ScheduleOrders = {
    directory,
    options: {},
    name: 'often',
    when: { everyMs: EVERY_MS },
    missed: 'all',
  };
  const start = async (): Promise<Program> => {
    const args = [JSON.stringify(orders)];
    const program = startProgram(t, 'test/processes/schedule-child.js', { args });
    await program.message(isOpened, DEADLINE_MS);
    return program;
  };
  const first = await start();
  const second = await start();
  // It reads, and has no ticks enqueued.
  const reader = await Engine.open(osDisk, resolveStoreOptions({ directory }, new Set()));
  t.teardown(() => reader.close());
  const more = async (): Promise<void> => {
    const before = ticksThere(reader).size;
    await until('ticks', () => ticksThere(reader).size >= before + MORE, DEADLINE_MS);
  };
  await more();
  await first.kill();
  await more();
  const again = await start();
  await more();
  await second.kill();
  await more();
  await again.kill();
  const ticks = [...ticksThere(reader).values()].map((tick) => tick?.time ?? 0);
  const anchor = reader.fates.schedules.get('often')?.schedule.createdAt ?? 0;
  t.same(
    ticks,
    ticks.map((_, at) => anchor + (at + 1) * EVERY_MS),
    `${ticks.length} ticks, none missing and none twice`,
  );
});
