import t, { type Test } from 'tap';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { EnqueueOptions, Queue } from '../../src/queue/contract.js';
import type { Delivery } from '../../src/queue/delivery.js';
import { DueTimes } from '../../src/queue/due-times.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { fileOf, range } from '../store/records.js';
import { type Random, random } from '../support/random.js';

interface Message {
  readonly index: number;
  readonly priority: number;
  /** The first of the batch that it was put to the front with. */
  readonly front: number | undefined;
  readonly key: string | undefined;
  readonly due: number;
  isClaimed: boolean;
}

/** What is promised, as plainly as it can be said: a list, sorted whenever somebody asks. */
class Model {
  messages: Message[] = [];
  next = 1;
  now = 0;

  add(count: number, { priority = 0, front = false, key, delayMs = 0 }: EnqueueOptions): number[] {
    const first = this.next;
    this.next += count;
    const indexes = range(first, this.next - 1);
    const due = delayMs === 0 ? 0 : this.now + delayMs;
    for (const index of indexes)
      this.messages.push({ index, priority, front: front ? first : undefined, key, due, isClaimed: false });
    return indexes;
  }

  get waiting(): Message[] {
    return this.messages.filter(({ isClaimed, due }) => !isClaimed && due <= this.now);
  }

  /** In the order in which they are got; `isOver` says whether who gets one finishes it at once. */
  inLine(isOver: boolean): number[] {
    const gone = new Set<Message>();
    const shut = new Set<string>();
    const order: number[] = [];
    for (;;) {
      const there = this.messages.filter((message) => !gone.has(message));
      const open = this.waiting.filter((message) => {
        if (gone.has(message)) return false;
        if (message.key === undefined) return true;
        const ofKey = there.filter(({ key }) => key === message.key);
        return ofKey[0] === message && !shut.has(message.key) && !ofKey.some(({ isClaimed }) => isClaimed);
      });
      const [best] = open.sort(byPlace);
      if (best === undefined) return order;
      order.push(best.index);
      gone.add(best);
      if (!isOver && best.key !== undefined) shut.add(best.key);
    }
  }

  remove(indexes: readonly number[]): void {
    this.messages = this.messages.filter(({ index }) => !indexes.includes(index));
  }

  claim(indexes: readonly number[], isClaimed: boolean): void {
    for (const message of this.messages) if (indexes.includes(message.index)) message.isClaimed = isClaimed;
  }
}

function byPlace(one: Message, other: Message): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  if (one.front !== other.front) return (other.front ?? 0) - (one.front ?? 0);
  return one.index - other.index;
}

const SEGMENT = { maxFileSize: fileOf(25, 100), durability: 'written', leaseMs: 1e9 } as const;
const COMPACTION = { leastBytes: 0, everyMs: 200, retryMs: 200 };

/** A program of so many steps by two openers that are now and then opened anew; how many sparse segments there are in the end. */
async function run(t: Test, draw: Random, steps: number, maxAttempts: number): Promise<number> {
  const machine = new MemoryDisk();
  const clock = new MovedClock();
  const model = new Model();
  model.now = clock.now();
  const open = (): Promise<Queue<number>> =>
    openQueueOn<number>(
      machine.opener(),
      { directory: '/store', clock, indexer: false, maxAttempts, ...SEGMENT },
      undefined,
      { compaction: COMPACTION, dueTimes: new DueTimes(4) },
    );
  const queues = [await open(), await open()];
  const held: { delivery: Delivery<number>; owner: number }[] = [];
  const trace: string[] = [];
  /** Without entries `verify` has something to say. */
  const forgets = draw.chance(0.5);
  const check = (found: unknown, wanted: unknown, what: string): void => {
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    t.same(found, wanted, `${what}, after ${trace.slice(-25).join('; ')}`);
    throw new Error(`${what}: SEED=${draw.seed}`);
  };
  for (let step = 0; step < steps; step++) {
    const who = draw.integer(0, 1);
    const queue = queues[who] as Queue<number>;
    const options: EnqueueOptions = {
      ...(draw.chance(0.4) ? { priority: draw.integer(0, 3) } : {}),
      ...(draw.chance(0.2) ? { front: true } : {}),
      ...(draw.chance(0.3) ? { key: draw.pick(['a', 'b', 'long'.repeat(80)]) } : {}),
      ...(draw.chance(0.3) ? { delayMs: draw.integer(1, 3000) } : {}),
    };
    const what = draw.pick([
      'enqueue',
      'enqueue',
      'enqueue',
      'many',
      'fill',
      'dequeue',
      'dequeues',
      'claim',
      'claims',
      'ack',
      'ack',
      'nack',
      'delete',
      'wait',
      'reopen',
      'forget',
    ] as const);
    trace.push(`${who} ${what} ${what === 'enqueue' || what === 'many' ? JSON.stringify(options) : ''}`);
    if (what === 'enqueue') {
      const [index] = model.add(1, options);
      check(await queue.enqueue(index as number, options), index, 'enqueue');
    } else if (what === 'many') {
      const indexes = model.add(draw.integer(1, 5), options);
      check(await queue.enqueueMany(indexes, options), indexes, 'enqueueMany');
    } else if (what === 'fill') {
      for (let round = 0; round < 4; round++) {
        const indexes = model.add(5, {});
        check(await queue.enqueueMany(indexes), indexes, 'fill');
      }
    } else if (what === 'dequeue' || what === 'dequeues') {
      const max = what === 'dequeue' ? 1 : draw.integer(1, 6);
      const wanted = model.inLine(true).slice(0, max);
      check(await queue.dequeueMany(max), wanted, what);
      model.remove(wanted);
    } else if (what === 'claim' || what === 'claims') {
      const max = what === 'claim' ? 1 : draw.integer(1, 4);
      const wanted = model.inLine(false).slice(0, max);
      const deliveries = await queue.claimMany(max);
      check(
        deliveries.map(({ value }) => value),
        wanted,
        what,
      );
      model.claim(wanted, true);
      for (const delivery of deliveries) held.push({ delivery, owner: who });
    } else if ((what === 'ack' || what === 'nack') && held.length > 0) {
      const at = draw.integer(0, held.length - 1);
      const { delivery } = held[at] as (typeof held)[number];
      held.splice(at, 1);
      if (what === 'ack') {
        await delivery.ack();
        model.remove([delivery.index]);
      } else {
        await delivery.nack({ delayMs: 0 });
        model.claim([delivery.index], false);
      }
    } else if (what === 'delete') {
      const share = draw.pick([0.3, 0.95]);
      const indexes = model.messages.map(({ index }) => index).filter(() => draw.chance(share));
      check(await queue.delete(indexes), indexes.length, what);
      model.remove(indexes);
      for (const index of indexes) {
        const at = held.findIndex(({ delivery }) => delivery.index === index);
        if (at >= 0) held.splice(at, 1);
      }
    } else if (what === 'wait') {
      const ms = draw.integer(1, 2000);
      clock.advance(ms);
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
      model.now += ms;
    } else if (what === 'reopen') {
      await queue.close();
      const freed = held.filter(({ owner }) => owner === who);
      model.claim(
        freed.map(({ delivery }) => delivery.index),
        false,
      );
      for (const one of freed) held.splice(held.indexOf(one), 1);
      queues[who] = await open();
    } else if (what === 'forget' && forgets) {
      // Entries are a cache: what they say of marks is found without them.
      const entries = [...machine.snapshot().keys()].filter((path) => path.endsWith('.idx'));
      if (entries.length > 0) machine.opener().unlink(draw.pick(entries));
    }
    const looks = queues[draw.integer(0, 1)] as Queue<number>;
    check(await looks.peekMany(500), model.inLine(true), 'peekMany');
    check(await looks.length(), model.waiting.length, 'length');
    const { waiting, delayed, claimed } = await looks.stats();
    const isDelayed = ({ due }: Message): boolean => due > model.now;
    check(
      { waiting, delayed, claimed },
      {
        waiting: model.waiting.length,
        delayed: model.messages.filter(isDelayed).length,
        claimed: model.messages.filter(({ isClaimed }) => isClaimed).length,
      },
      'stats',
    );
  }
  const sparse = [...machine.snapshot().keys()].filter((path) => /\.\d+\.dat$/.test(path)).length;
  for (const queue of queues) await queue.close();
  const { findings } = await verifyOn(machine.opener(), { directory: '/store' });
  const ofEntries = findings.filter(({ file }) => file.endsWith('.idx'));
  if (!forgets) check(ofEntries, [], 'verify');
  return sparse;
}

t.test('random programs: messages come in the order that a plain list says', async (t) => {
  const draw = random(t);
  const programs = Number(process.env['PROGRAMS'] ?? 100);
  let sparse = 0;
  for (let program = 0; program < programs; program++)
    sparse += await run(t, draw.fork(), draw.integer(5, 120), 2 ** 32 - 1);
  t.comment(`found: ${sparse} sparse segments at the ends of ${programs} programs`);
  t.ok(sparse > 0, 'segments were succeeded by sparse ones');
});
