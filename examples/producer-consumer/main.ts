/**
 * Several processes share a job through a directory, one of them is killed on the way, and nothing is lost: two
 * producers enqueue every package installed under `node_modules`, three consumers make an inventory of them, one
 * consumer is killed half-way and another started. In the end the inventory is compared with one made alone.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openQueue } from 'durostore';
import { type Child, startChild } from './child.js';
import { type Facts, findPackages, inspectPackage, type Task } from './inventory.js';
import type { Message } from './messages.js';
import { type Line, showProgress } from './progress.js';
import { differences, table } from './summary.js';

const PRODUCERS = 2;
const CONSUMERS = 3;
const STALLED_AFTER_MS = 60_000;

const nodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** What the parent learnt about the consumer it killed. */
interface Kill {
  readonly name: string;
  readonly path: string;
  readonly atMs: number;
  backAfterMs: number | undefined;
}

/** What happened, as the children told it. */
interface Account {
  plans: number;
  planned: number;
  enqueued: number;
  readonly acknowledged: Set<number>;
  readonly acknowledgedTwice: number[];
  redelivered: number;
  kill: Kill | undefined;
  lastNewsMs: number;
}

/** Runs the job through the queue; resolves when every message is acknowledged and every child has ended. */
async function shareWork(scratch: string): Promise<{ inventory: Facts[]; account: Account }> {
  const directory = join(scratch, 'queue');
  const results = join(scratch, 'results');
  await mkdir(results);
  const queue = await openQueue<Task>({ directory });
  const progress = showProgress();
  const children: Child[] = [];
  const account: Account = {
    plans: 0,
    planned: 0,
    enqueued: 0,
    acknowledged: new Set(),
    acknowledgedTwice: [],
    redelivered: 0,
    kill: undefined,
    lastNewsMs: performance.now(),
  };
  const consumerLines: Line[] = [];
  const trouble = new AbortController();

  const start = (
    name: string,
    program: string,
    args: string[],
    onMessage: (message: Message) => void,
  ): Child => {
    const child = startChild(name, program, args, (message) => {
      account.lastNewsMs = performance.now();
      onMessage(message);
    });
    void child.ended.then((problem) => {
      if (problem !== undefined) trouble.abort(new Error(problem));
    });
    children.push(child);
    return child;
  };

  const startProducer = (number: number): Child => {
    const name = `producer ${number + 1}`;
    const line = progress.line(name, 1);
    const args = [directory, nodeModules, String(number), String(PRODUCERS)];
    return start(name, './inventory-producer.js', args, (message) => {
      if (message.kind === 'planned') {
        account.plans++;
        account.planned += message.packages;
        line.total(message.packages);
        for (const each of consumerLines) each.total(account.planned);
      } else if (message.kind === 'enqueued') {
        account.enqueued++;
        line.step();
      }
    });
  };

  const startConsumer = (number: number): Child => {
    const name = `consumer ${number + 1}`;
    const line = progress.line(name, Math.max(1, account.planned));
    consumerLines.push(line);
    const child = start(name, './inventory-consumer.js', [directory, nodeModules, results], (message) => {
      if (message.kind === 'acknowledged') {
        const { index } = message;
        if (account.acknowledged.has(index)) account.acknowledgedTwice.push(index);
        account.acknowledged.add(index);
        line.step();
      } else if (message.kind === 'claimed') {
        const { path, attempt } = message;
        if (attempt > 1) account.redelivered++;
        const { kill } = account;
        if (kill?.path === path && kill.name !== name) kill.backAfterMs ??= performance.now() - kill.atMs;
        const halfWay = account.plans === PRODUCERS && account.acknowledged.size * 2 >= account.planned;
        if (kill !== undefined || !halfWay) return;
        child.kill();
        account.kill = { name, path, atMs: performance.now(), backAfterMs: undefined };
        line.note(`killed while it held ${path}`);
        startConsumer(CONSUMERS);
      }
    });
    return child;
  };

  const interrupt = (): void => trouble.abort(new Error('interrupted'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const producers = Array.from({ length: PRODUCERS }, (_, number) => startProducer(number));
    for (let number = 0; number < CONSUMERS; number++) startConsumer(number);
    await Promise.race([
      Promise.all(producers.map(({ ended }) => ended)),
      new Promise((resolve) => trouble.signal.addEventListener('abort', resolve)),
    ]);
    for (;;) {
      trouble.signal.throwIfAborted();
      const { waiting, claimed } = await queue.stats();
      if (waiting + claimed === 0) break;
      if (performance.now() - account.lastNewsMs > STALLED_AFTER_MS)
        throw new Error('the children are stalled');
      await sleep(50);
    }
    for (const child of children) child.stop();
    await Promise.all(children.map(({ ended }) => ended));
    trouble.signal.throwIfAborted();
    return { inventory: await readResults(results), account };
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    for (const child of children) child.kill();
    await Promise.all(children.map(({ ended }) => ended));
    progress.stop();
    await queue.close();
  }
}

async function readResults(results: string): Promise<Facts[]> {
  const names = (await readdir(results)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(results, name), 'utf8')) as Facts),
  );
}

async function inventoryAlone(): Promise<Facts[]> {
  const inventory: Facts[] = [];
  for (const path of await findPackages(nodeModules)) inventory.push(await inspectPackage(nodeModules, path));
  return inventory;
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: string }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: ((performance.now() - start) / 1000).toFixed(1) };
}

/** The whole example; resolves with what is wrong, a line for each thing. */
async function main(): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'durostore-example-'));
  try {
    console.log(`Making an inventory of ${nodeModules}`);
    console.log(
      `with ${PRODUCERS} producer and ${CONSUMERS} consumer processes through ${join(scratch, 'queue')}\n`,
    );
    const together = await timed(() => shareWork(scratch));
    const { inventory, account } = together.result;
    const alone = await timed(inventoryAlone);

    console.log(`\n${table(inventory, alone.result)}\n`);
    const { acknowledged, acknowledgedTwice, kill } = account;
    console.log(
      `messages   ${account.enqueued} enqueued, ${acknowledged.size} acknowledgements told, ` +
        `${account.redelivered} delivered again, ${acknowledgedTwice.length} acknowledged twice`,
    );
    if (kill !== undefined) {
      const back = kill.backAfterMs;
      console.log(
        `killed     ${kill.name} by SIGKILL, which had claimed ${kill.path}: ` +
          (back === undefined ? 'it was done already' : `claimed by another ${Math.round(back)} ms later`),
      );
    }
    console.log(
      `time       ${together.seconds} s together, then ${alone.seconds} s alone (the files in the cache)\n`,
    );
    return [
      ...differences(inventory, alone.result),
      ...(account.enqueued === alone.result.length ? [] : [`${account.enqueued} messages were enqueued`]),
      ...acknowledgedTwice.map((index) => `message ${index} was acknowledged twice`),
      ...(kill === undefined ? ['no consumer was killed: the job was over too soon'] : []),
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

try {
  const wrong = await main();
  if (wrong.length === 0) console.log('equal, each package once');
  else console.log(`NOT EQUAL\n${wrong.slice(0, 20).join('\n')}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
