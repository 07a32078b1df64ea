/**
 * Uses a queue with 0, 1, 2, … descriptors left in this process: opens it so, and runs out of them while it is open. After each
 * time there are enough again, and what was acknowledged must be there. Tells what is not as it must be, and what each number
 * of descriptors was enough for.
 */
import { closeSync, openSync, readdirSync } from 'node:fs';
import { DurostoreError, openQueue, type Queue } from '../../src/mod.js';
import { leave, type Orders, orders, tell, untilStopped } from './child.js';

export interface DescriptorsOrders extends Orders {
  /** How many descriptors are left, each time. */
  readonly lefts: readonly number[];
}

export interface Outcome {
  readonly left: number;
  readonly opened: string;
  readonly calls: readonly string[];
}

export interface DescriptorsReport {
  readonly wrong: readonly string[];
  /** Of opening, and of calls in what was open, by the number of descriptors left. */
  readonly opening: readonly Outcome[];
  readonly running: readonly Outcome[];
  readonly leaked: number;
}

const { directory, options, lefts } = orders<DescriptorsOrders>();
untilStopped();
/** So many messages that their files are more than may be open. */
const MANY = 60;
const wrong: string[] = [];
const hogged: number[] = [];

/** Takes all descriptors but so many. */
function leaveOnly(left: number): void {
  try {
    for (;;) hogged.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as { code?: string }).code !== 'EMFILE') throw error;
  }
  for (const descriptor of hogged.splice(hogged.length - left)) closeSync(descriptor);
}

function giveBack(): void {
  for (const descriptor of hogged.splice(0)) closeSync(descriptor);
}

const count = (): number => readdirSync('/proc/self/fd').length;

async function told(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'done';
  } catch (error) {
    if (error instanceof DurostoreError) return error.code;
    wrong.push(`untyped: ${error instanceof Error ? error.stack : String(error)}`);
    return 'untyped';
  }
}

/** Messages that must be there, in their order; and those that may, for their calls failed. */
let there: string[] = [];
let doubtful = new Set<string>();
let next = 0;

const open = (): Promise<Queue<string>> => openQueue<string>({ ...options, directory });

async function use(queue: Queue<string>): Promise<string[]> {
  const enqueue = async (): Promise<void> => {
    const message = `${next++} ${'x'.repeat(150)}`;
    doubtful.add(message);
    await queue.enqueue(message);
    doubtful.delete(message);
    there.push(message);
  };
  const take = async (): Promise<void> => {
    const first = there.shift();
    if (first !== undefined) doubtful.add(first);
    const value = await queue.dequeue();
    if (value !== undefined && value !== first && !doubtful.has(value)) wrong.push(`out of order: ${value}`);
    if (value !== undefined) doubtful.delete(value);
  };
  const claim = async (): Promise<void> => {
    const delivery = await queue.claim();
    await delivery?.nack();
  };
  const calls = [
    enqueue,
    enqueue,
    claim,
    take,
    () => queue.stats(),
    () => queue.read(1),
    () => queue.store.sync(),
  ];
  const outcomes: string[] = [];
  for (const call of calls) outcomes.push(await told(call));
  return outcomes;
}

/** With all descriptors: what was acknowledged is there, and nothing that was not enqueued. */
async function check(when: string): Promise<void> {
  const queue = await open();
  const found = await queue.peekMany(Number.MAX_SAFE_INTEGER);
  const certain = found.filter((message) => !doubtful.has(message));
  if (JSON.stringify(certain) !== JSON.stringify(there))
    wrong.push(
      `${when}: ${certain.map((one) => one.slice(0, 5))}, not ${there.map((one) => one.slice(0, 5))}`,
    );
  there = found;
  doubtful = new Set();
  while (there.length > MANY) {
    await queue.dequeue();
    there.shift();
  }
  await queue.close();
}

/** Everything that is loaded late, is now. */
const warm = await open();
await use(warm);
await warm.dequeue({ waitMs: 300 });
await warm.close();
there = [];
doubtful = new Set();
const emptied = await open();
await emptied.flush();
next = 0;
for (; next < MANY; next++) there.push(`${next} ${'x'.repeat(150)}`);
for (const message of there) await emptied.enqueue(message, { durability: 'written' });
await emptied.close();

const before = count();
const opening: Outcome[] = [];
const running: Outcome[] = [];
for (const left of lefts) {
  leaveOnly(left);
  let queue: Queue<string> | undefined;
  let calls: string[] = [];
  const opened = await told(async () => {
    queue = await open();
  });
  if (queue !== undefined) calls = await use(queue);
  await queue?.close();
  giveBack();
  opening.push({ left, opened, calls });
  await check(`opened with ${left}`);
}
for (const left of lefts) {
  const queue = await open();
  await use(queue);
  leaveOnly(left);
  const calls = await use(queue);
  giveBack();
  const again = await use(queue);
  if (!calls.includes('STORE_FAILED') && again.some((one) => one !== 'done'))
    wrong.push(`with ${left} it did not fail, and does not go on: ${again}`);
  await queue.close();
  running.push({ left, opened: 'done', calls });
  await check(`used with ${left}`);
}
await tell({ wrong, opening, running, leaked: count() - before } satisfies DescriptorsReport);
leave();
