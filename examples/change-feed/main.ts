/** A change feed: one process writes what changed, two others keep copies of it, each at its own pace. See README.md. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openStore } from 'durostore';
import { CHANGES, type Change, type News, PRODUCTS } from './change.js';

const directory = await mkdtemp(join(tmpdir(), 'durostore-changes-'));
const changes = await openStore({ directory, durability: 'written' });
const children: ChildProcess[] = [];
let kills = 0;
const sums = new Map<string, number>();

function start(name: string): void {
  const child = fork(fileURLToPath(new URL('./follower.js', import.meta.url)), [directory, name]);
  children.push(child);
  child.on('message', (message) => {
    const { applied, sum } = message as News;
    if (name === 'search' && applied > CHANGES / 2 && kills === 0) {
      kills += 1;
      console.log('search is killed half-way, and started anew');
      child.once('exit', () => start(name)).kill('SIGKILL');
    } else if (applied === CHANGES) {
      sums.set(name, sum);
      child.send('stop');
    }
  });
}

try {
  // Made before the first change, so that neither misses any.
  for (const name of ['search', 'cache']) await (await changes.consumer(name)).close();
  start('search');
  start('cache');

  const prices = new Map<number, number>();
  for (let n = 1; n <= CHANGES; n++) {
    const change: Change = { product: n % PRODUCTS, price: (n * 7919) % 1000 };
    await changes.write(Buffer.from(JSON.stringify(change)));
    prices.set(change.product, change.price);
  }
  while (sums.size < 2) await sleep(20);

  const sum = [...prices.values()].reduce((total, price) => total + price, 0);
  for (const name of ['search', 'cache'])
    console.log(`${name} has ${sums.get(name) === sum ? 'the prices that were written' : 'other prices'}`);
  for (const { name, committed, lag } of await changes.consumers())
    console.log(`${name}: ${committed} done, ${lag} to come`);
} finally {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await changes.close();
  await rm(directory, { recursive: true });
}
