import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openQueue } from '../src/mod.js';
import { type Received, SMALL_BYTES } from './consumer-child.js';
import { type Figures, figures, median } from './measure.js';

type Side = 'ours' | 'bare';

export interface TwoProcessesResult {
  readonly name: string;
  readonly unit: string;
  readonly ours: Figures;
  readonly bare: Figures;
  readonly target: string;
}

/** Sends `batch` records, each of which begins with this moment. */
type Send = (batch: number) => Promise<void> | void;

/** One process sends small records while another one takes them; bare: it follows the file by its notices. */
export async function twoProcesses(
  scale: number,
  rounds: number,
  parent: string,
): Promise<TwoProcessesResult[]> {
  const results: TwoProcessesResult[] = [];
  for (const [batch, target] of [
    [1, 'at most 3 times'],
    [100, 'at most 2.1 times'],
  ] as const) {
    const count = Math.max(1_000, Math.round((batch === 1 ? 50_000 : 200_000) * scale));
    const throughput = async (side: Side): Promise<number> =>
      (await through(parent, side, batch, count, 0)).each;
    const [ours, bare] = await interleaved(rounds, throughput);
    const name = batch === 1 ? 'two processes, singly' : `two processes, by ${batch}`;
    results.push({
      name,
      unit: 'µs',
      ours: figures('durostore', ours),
      bare: figures('a tail', bare),
      target,
    });
  }
  const samples = Math.max(100, Math.round(400 * scale));
  const delays: Record<Side, number[][]> = { ours: [], bare: [] };
  await interleaved(rounds, async (side) => {
    delays[side].push((await through(parent, side, 1, samples, 5)).delays);
    return 0;
  });
  for (const [part, target] of [
    [0.5, '0.06 ms'],
    [0.99, '0.5 ms'],
  ] as const) {
    const of = (side: Side): Figures =>
      figures(
        side === 'ours' ? 'durostore' : 'a tail',
        delays[side].slice(1).map((round) => percentile(round, part)),
      );
    const name = `one every 5 ms, delay, ${part === 0.5 ? 'median' : '99 of 100'}`;
    results.push({ name, unit: 'ms', ours: of('ours'), bare: of('bare'), target });
  }
  return results;
}

/** A round that is forgotten, and `rounds` of both sides in turn. */
async function interleaved(
  rounds: number,
  take: (side: Side) => Promise<number>,
): Promise<[ours: number[], bare: number[]]> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [first, second] = [await take('ours'), await take('bare')];
    if (round === 0) continue;
    ours.push(first);
    bare.push(second);
  }
  return [ours, bare];
}

function percentile(values: readonly number[], part: number): number {
  if (part === 0.5) return median(values);
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

async function through(
  parent: string,
  side: Side,
  batch: number,
  count: number,
  everyMs: number,
): Promise<{ each: number; delays: number[] }> {
  const directory = mkdtempSync(join(parent, 'two-'));
  try {
    const { send, close } = await (side === 'ours' ? ourSender(directory) : bareSender(directory));
    const program = fileURLToPath(new URL('./consumer-child.js', import.meta.url));
    const child = fork(program, [directory, side, String(batch), String(count)], { execArgv: [] });
    const exited = once(child, 'exit');
    await once(child, 'message');
    const received = once(child, 'message') as Promise<[Received]>;
    const begin = process.hrtime.bigint();
    for (let sent = 0; sent < count; sent += batch) {
      await send(batch);
      if (everyMs > 0) await sleep(everyMs);
    }
    const [{ endedAt, delays }] = await received;
    await exited;
    await close();
    return { each: Number(BigInt(endedAt) - begin) / 1000 / count, delays: [...delays] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function stamped(into: Buffer): Buffer {
  const now = process.hrtime.bigint();
  for (let at = 0; at < into.length; at += SMALL_BYTES) into.writeBigUInt64LE(now, at);
  return into;
}

async function ourSender(directory: string): Promise<{ send: Send; close: () => Promise<void> }> {
  const queue = await openQueue<Uint8Array>({
    directory,
    codec: 'bytes',
    locking: 'os',
    durability: 'written',
  });
  const records = Array.from({ length: 100 }, () => Buffer.alloc(SMALL_BYTES));
  const [one = Buffer.alloc(SMALL_BYTES)] = records;
  const send: Send = async (batch) => {
    if (batch === 1) await queue.enqueue(stamped(one));
    else await queue.enqueueMany(records.slice(0, batch).map(stamped));
  };
  return { send, close: () => queue.close() };
}

function bareSender(directory: string): { send: Send; close: () => void } {
  const file = openSync(join(directory, 'tail'), 'w');
  const records = Buffer.alloc(100 * SMALL_BYTES);
  const send: Send = (batch) => {
    writeSync(file, stamped(records.subarray(0, batch * SMALL_BYTES)));
  };
  return { send, close: () => closeSync(file) };
}
