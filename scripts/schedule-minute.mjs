/**
 * Two processes have one schedule that ticks every second, for a minute; in the midst of it one of them is killed, and started
 * again. Prints each tick as it becomes a message, and in the end how many there were, missing or twice. Takes the number of
 * seconds.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const { osDisk } = await import('../build/src/disk/os.js');
const { Engine } = await import('../build/src/store/engine.js');
const { resolveStoreOptions } = await import('../build/src/store/options.js');
const { ticksThere } = await import('../build/test/queue/tick-world.js');

const SECONDS = Number(process.argv[2] ?? 60);
const directory = mkdtempSync(join(tmpdir(), 'durostore-schedule-minute-'));
const orders = { directory, options: {}, name: 'minute', when: { cron: '* * * * * *' }, missed: 'last' };
const child = fileURLToPath(new URL('../build/test/processes/schedule-child.js', import.meta.url));
const running = new Set();

async function start() {
  const program = fork(child, [JSON.stringify(orders)]);
  running.add(program);
  program.once('exit', () => running.delete(program));
  await new Promise((resolve, reject) => {
    program.once('message', resolve);
    program.once('exit', () => reject(new Error('a process ended before it was ready')));
  });
  return program;
}

try {
  const mortal = await start();
  await start();
  const reader = await Engine.open(osDisk, resolveStoreOptions({ directory }, new Set()));
  const seen = [];
  let last = 0;
  const look = () => {
    for (const [index, tick] of ticksThere(reader)) {
      if (index <= last || tick === undefined) continue;
      last = index;
      seen.push(tick.time);
      console.log(`${new Date(tick.time).toISOString()}  message ${index}`);
    }
  };
  const from = Date.now();
  const passUntil = async (second) => {
    while (Date.now() < from + second * 1000) {
      await sleep(50);
      look();
    }
  };
  await passUntil(SECONDS / 3);
  console.log('one process is killed');
  mortal.kill('SIGKILL');
  await passUntil((2 * SECONDS) / 3);
  console.log('and started again');
  await start();
  await passUntil(SECONDS + 1);
  look();
  await reader.close();
  const [first = 0] = seen;
  const end = seen.at(-1) ?? 0;
  const distinct = new Set(seen).size;
  const missing = (end - first) / 1000 + 1 - distinct;
  console.log(`${distinct} ticks, ${missing} missing, ${seen.length - distinct} twice`);
  if (missing !== 0 || seen.length !== distinct || distinct < SECONDS - 1) process.exitCode = 1;
} finally {
  for (const program of running) program.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
