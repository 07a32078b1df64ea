import { setTimeout as sleep } from 'node:timers/promises';
import type { Cell, Contestant, Readings } from '../cell.js';
import { start } from '../child.js';
import { BATCH } from '../loops.js';
import { type Received, SMALL_BYTES } from '../programs/consumer.js';
import type { Opened, Subject } from '../subject.js';
import { durostore } from '../subjects/durostore.js';
import { tail } from '../subjects/tail.js';
import { roleOf, target } from './contestants.js';

const PAUSE_MS = 5;
/** By so much both processes warm up: what a process costs in its first moments is not what is compared. */
const BEFORE = { calls: 20_000, ofServers: 50, paused: 4000 } as const;
/** The pause between the calls that warm up those that pause. */
const SHORT_PAUSE_MS = 1;

/** What is sent before so many records, each with its pause: as much again, or what those that pause need. */
function before(
  subject: Subject,
  records: number,
  by: number,
  pauseMs: number,
): { count: number; pauseMs: number }[] {
  if (pauseMs === 0) return [{ count: records, pauseMs: 0 }];
  const calls = subject.serve === undefined ? BEFORE.calls : BEFORE.ofServers;
  return [
    { count: calls * by, pauseMs: 0 },
    { count: BEFORE.paused * by, pauseMs: SHORT_PAUSE_MS },
  ];
}

/** Sends `count` records, `by` at a time, each of which begins with this moment. */
async function sendAll(opened: Opened, by: number, count: number, pauseMs: number): Promise<void> {
  const records = Array.from({ length: by }, () => Buffer.alloc(SMALL_BYTES));
  const [one = Buffer.alloc(0)] = records;
  for (let sent = 0; sent < count; sent += by) {
    const now = process.hrtime.bigint();
    for (const record of records) record.writeBigUInt64LE(now);
    const later = by === 1 ? opened.put?.(one) : opened.putMany?.(records);
    if (later instanceof Promise) await later;
    // Who sends without ever waiting does not let its own process write what is still to be flushed.
    if (pauseMs > 0) await sleep(pauseMs);
  }
}

function between(subject: Subject, role: Contestant['role'], by: number, pauseMs: number): Contestant {
  const turn = async (directory: string, records: number): Promise<Readings> => {
    const place = { directory, durability: 'written', as: 'queue' } as const;
    const served = await subject.serve?.(place);
    const opened = await subject.open(place);
    const count = Math.ceil(records / by) * by;
    const phases = before(subject, count, by, pauseMs);
    const counts = [...phases.map((phase) => phase.count), count].map(String);
    const consumer = start('programs/consumer.js', [subject.name, directory, String(by), ...counts]);
    try {
      for (const phase of phases) {
        await consumer.message();
        await sendAll(opened, by, phase.count, phase.pauseMs);
        await consumer.message();
      }
      await consumer.message();
      const begin = process.hrtime.bigint();
      await sendAll(opened, by, count, pauseMs);
      const { endedAt, p50, p99 } = await consumer.message<Received>();
      await consumer.ended();
      return { each: Number(BigInt(endedAt) - begin) / 1000 / count, p50, p99 };
    } finally {
      consumer.kill('SIGKILL');
      await opened.close();
      await served?.stop();
    }
  };
  return { name: subject.name, role, turn };
}

export function twoProcessesCells(peers: readonly Subject[]): Cell[] {
  const all = (by: number, pauseMs: number): Contestant[] => [
    between(durostore, 'ours', by, pauseMs),
    between(tail(SMALL_BYTES), 'control', by, pauseMs),
    ...peers.filter(({ aside }) => aside !== true).map((peer) => between(peer, roleOf(peer), by, pauseMs)),
  ];
  const each = { key: 'each', name: '', unit: 'µs a record', lead: true };
  const group = 'two processes';
  const raw = 'Raw: a file that the other process follows by the operating system’s notices.';
  return [
    {
      id: 'two processes, singly',
      name: 'one enqueues while another dequeues, one at a time',
      group,
      definition: `Records of 200 bytes, from the first call until the other process has the last one. Both have passed as many before. ${raw}`,
      records: 80_000,
      measures: [{ ...each, targets: [target(3)] }],
      contestants: all(1, 0),
    },
    {
      id: 'two processes, by 100',
      name: 'one enqueues while another dequeues, by 100',
      group,
      definition: `The same by 100. ${raw}`,
      records: 500_000,
      measures: [{ ...each, targets: [target(2.1)] }],
      contestants: all(BATCH, 0),
    },
    {
      id: 'latency',
      name: 'one every 5 ms, from before `enqueue` to after `dequeue` in the other process',
      group,
      definition: `Records of 200 bytes, behind ${BEFORE.paused} that are not counted, one each millisecond. ${raw} Peers without notices are asked each millisecond.`,
      records: 300,
      measures: [
        { key: 'p50', name: 'median', unit: 'ms', lead: true, targets: [target(2)] },
        { key: 'p99', name: '99 of 100', unit: 'ms', lead: true, targets: [target(3)] },
      ],
      contestants: all(1, PAUSE_MS),
    },
  ];
}
