/** Declares a schedule, as an app does at each start, and stays until it is killed, or its parent is gone. */
import { openQueue, type When } from '../../src/mod.js';
import { type Orders, orders, tell } from './child.js';

export interface ScheduleOrders extends Orders {
  readonly name: string;
  readonly when: When;
  readonly missed: 'skip' | 'last' | 'all';
}

const { directory, options, name, when, missed } = orders<ScheduleOrders>();
process.on('disconnect', () => process.exit(1));
process.on('message', () => {});

const queue = await openQueue<string>({ ...options, directory });
await queue.schedule(name, when, 'tick', { missed });
await tell({ opened: true });
