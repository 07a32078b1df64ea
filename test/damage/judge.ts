import { repairOn } from '../../src/care/repair.js';
import type { Report } from '../../src/care/report.js';
import { verifyOn } from '../../src/care/verify.js';
import type { MemoryDisk } from '../../src/disk/memory.js';
import { CorruptError, DurostoreError, type ErrorCode } from '../../src/errors.js';
import type { Queue } from '../../src/queue/contract.js';
import { range } from '../store/records.js';
import type { Gauge } from './gauge.js';
import type { Hits } from './hits.js';
import { DIRECTORY, openOn, type Shape } from './shapes.js';

/** What a record turned out to be: its bytes, nothing, or what was told. */
type Seen = Buffer | undefined | ErrorCode;

/** Judges a damaged directory by what users can call. `hits` is what the damage may cost. */
export class Judge {
  readonly problems: string[] = [];
  readonly #shape: Shape;
  readonly #hits: Hits;
  readonly #gauge: Gauge;

  constructor(shape: Shape, hits: Hits, gauge: Gauge) {
    this.#shape = shape;
    this.#hits = hits;
    this.#gauge = gauge;
  }

  /** `machine` is used up. Without `mend` nothing is repaired, which takes as long as all the rest. */
  async judge(machine: MemoryDisk, { mend }: { readonly mend: boolean }): Promise<void> {
    const report = await this.#verify(machine, 'verify');
    const seen = await this.#use(machine.fork(1));
    if (report !== undefined && seen === undefined && report.ok)
      this.#problem('it does not open, and verify says nothing of it');
    if (report !== undefined && seen !== undefined) this.#coverage(report, seen);
    if (mend) await this.#mended(machine);
  }

  #problem(what: string): void {
    this.problems.push(what);
  }

  /** What comes of it; undefined where an error came that users are told of, with one of these codes. */
  async #attempt<T>(
    what: string,
    codes: readonly ErrorCode[],
    call: () => Promise<T>,
  ): Promise<T | ErrorCode> {
    try {
      return await this.#gauge.measure(call, (problem) => this.#problem(`${what}: ${problem}`));
    } catch (error) {
      if (!(error instanceof DurostoreError)) {
        this.#problem(`${what} threw ${error instanceof Error ? error.stack : String(error)}`);
        return 'STORE_FAILED';
      }
      if (!codes.includes(error.code)) this.#problem(`${what} was told ${error.code}: ${error.message}`);
      return error.code;
    }
  }

  async #verify(machine: MemoryDisk, what: string): Promise<Report | undefined> {
    const codes: ErrorCode[] = this.#hits.identity
      ? ['CORRUPT', 'UNSUPPORTED_VERSION', 'INVALID_OPTION']
      : [];
    this.#gauge.watch(machine);
    const report = await this.#attempt(what, codes, () =>
      verifyOn(machine.opener('verifies'), { directory: DIRECTORY }),
    );
    return typeof report === 'string' ? undefined : report;
  }

  /** Opens it, and does everything there is to do; undefined where it does not open. */
  async #use(machine: MemoryDisk): Promise<ReadonlyMap<number, Seen> | undefined> {
    this.#gauge.watch(machine);
    const queue = await this.#open(machine, 'opening');
    if (queue === undefined) return undefined;
    const seen = await this.#readAll(queue);
    this.#compare(seen, 'read');
    await this.#walk(queue, seen);
    await this.#numbers(queue, seen);
    const taken = await this.#take(queue, seen);
    await this.#write(queue, seen);
    await this.#attempt('closing', [], () => queue.close());
    const again = await this.#open(machine, 'opening again');
    if (again === undefined) {
      this.#problem('it does not open again');
      return seen;
    }
    const after = await this.#readAll(again);
    for (const [index, was] of seen)
      if (was instanceof Buffer && !taken.has(index) && !isSame(after.get(index), was))
        this.#problem(`${index} was there, and is ${tell(after.get(index))} when it is opened again`);
    await this.#attempt('closing again', [], () => again.close());
    return seen;
  }

  async #open(machine: MemoryDisk, what: string): Promise<Queue<Uint8Array> | undefined> {
    const codes: ErrorCode[] = this.#hits.identity
      ? ['CORRUPT', 'UNSUPPORTED_VERSION']
      : this.#hits.opening
        ? ['CORRUPT']
        : [];
    const queue = await this.#attempt(what, codes, () =>
      openOn(machine.opener('uses'), { ...this.#shape.options, maxFiles: 1024 }),
    );
    return typeof queue === 'string' ? undefined : queue;
  }

  async #readAll(queue: Queue<Uint8Array>): Promise<Map<number, Seen>> {
    const seen = new Map<number, Seen>();
    for (const index of range(1, this.#shape.next + 1)) {
      const found = await this.#attempt(`read(${index})`, ['CORRUPT'], () => queue.store.read(index));
      seen.set(index, typeof found === 'string' ? found : found && Buffer.from(found));
      const entry = await this.#attempt(`entry(${index})`, ['CORRUPT'], () => queue.store.entry(index));
      const data = typeof entry === 'string' ? entry : entry && Buffer.from(entry.data);
      if (!isSame(data, seen.get(index)))
        this.#problem(`read(${index}) is ${tell(seen.get(index))}, its entry ${tell(data)}`);
    }
    return seen;
  }

  #compare(seen: ReadonlyMap<number, Seen>, how: string): void {
    const { records } = this.#shape;
    for (const [index, found] of seen) {
      const right = records.get(index);
      if (isSame(found, right)) continue;
      if (right === undefined) {
        // What was deleted may be back where facts are missing, and may be damaged then.
        const mayBe = this.#hits.facts || this.#hits.identity;
        if (!mayBe || (found instanceof Buffer && !found.toString().startsWith(`record ${index} `)))
          this.#problem(`${how}: ${index} is ${tell(found)}, and was not there`);
      } else if (found instanceof Buffer) this.#problem(`${how}: ${index} is ${tell(found)}: wrong bytes`);
      else if (!this.#hits.records.has(index))
        this.#problem(`${how}: ${index} is ${tell(found)}, though nothing has happened to it`);
    }
  }

  /** The records in order, over what is damaged. */
  async #walk(queue: Queue<Uint8Array>, seen: ReadonlyMap<number, Seen>): Promise<void> {
    const walked = new Map<number, Seen>();
    for (let from = 1, rounds = 0; rounds <= this.#shape.next + 5; rounds++) {
      const end = await this.#attempt('entries()', ['CORRUPT'], async () => {
        try {
          for await (const { index, data } of queue.store.entries({ from })) {
            if (index < from) this.#problem(`entries() gave ${index} behind ${from - 1}`);
            walked.set(index, Buffer.from(data));
            from = index + 1;
          }
          return true;
        } catch (error) {
          if (error instanceof CorruptError) {
            walked.set(error.indexes?.from ?? from, 'CORRUPT');
            from = (error.indexes?.from ?? from) + 1;
          }
          throw error;
        }
      });
      if (end === true) break;
    }
    for (const [index, found] of seen)
      if (!isSame(walked.get(index), found))
        this.#problem(`entries() has ${tell(walked.get(index))} for ${index}, read ${tell(found)}`);
    for (const index of walked.keys())
      if (!seen.has(index)) this.#problem(`entries() has ${index}, which nobody wrote`);
  }

  async #numbers(queue: Queue<Uint8Array>, seen: ReadonlyMap<number, Seen>): Promise<void> {
    const there = [...seen].filter(([, found]) => found !== undefined).map(([index]) => index);
    const numbers = await this.#attempt('stats()', [], async () => {
      const { store } = queue;
      await queue.stats();
      return {
        length: await store.length(),
        first: await store.firstIndex(),
        next: await store.nextIndex(),
        size: await store.size(),
      };
    });
    if (typeof numbers === 'string') return;
    const { length, first, next, size } = numbers;
    if (length !== there.length) this.#problem(`length() is ${length}, and there are ${there.length}`);
    if (first !== (there[0] ?? next)) this.#problem(`firstIndex() is ${first} of ${there.join()}`);
    if (next <= (there.at(-1) ?? 0)) this.#problem(`nextIndex() is ${next} of ${there.join()}`);
    if (!Number.isSafeInteger(size)) this.#problem(`size() is ${size}`);
  }

  /** Takes messages away: what comes is right and in order, or is told. */
  async #take(queue: Queue<Uint8Array>, seen: ReadonlyMap<number, Seen>): Promise<ReadonlySet<number>> {
    const taken = new Set<number>();
    const waiting = [...seen].filter(([, found]) => found !== undefined);
    const check = (value: Uint8Array): void => {
      const at = waiting.findIndex(
        ([index, found]) => !taken.has(index) && isSame(Buffer.from(value), found),
      );
      if (at < 0) this.#problem(`a message came that is not there: ${tell(Buffer.from(value))}`);
      else taken.add(waiting[at]?.[0] ?? 0);
    };
    const delivery = await this.#attempt('claim()', ['CORRUPT'], () => queue.claim());
    if (typeof delivery !== 'string' && delivery !== undefined) {
      check(delivery.value);
      await this.#attempt('ack()', [], () => delivery.ack());
    }
    const value = await this.#attempt('dequeue()', ['CORRUPT'], () => queue.dequeue());
    if (typeof value !== 'string' && value !== undefined) check(value);
    return taken;
  }

  async #write(queue: Queue<Uint8Array>, seen: ReadonlyMap<number, Seen>): Promise<void> {
    const highest = Math.max(
      0,
      ...[...seen].flatMap(([index, found]) => (found === undefined ? [] : [index])),
    );
    const next = Buffer.from('next');
    const index = await this.#attempt('write()', [], () => queue.store.write(next));
    if (typeof index === 'string') return;
    if (index <= highest) this.#problem(`write() gave ${index} again`);
    const found = await this.#attempt('read of what was written', [], () => queue.store.read(index));
    if (typeof found === 'string' || !isSame(found && Buffer.from(found), next))
      this.#problem(`what was written as ${index} is not there`);
  }

  /** Each record that is not there is among what was found. */
  #coverage({ findings, ok }: Report, seen: ReadonlyMap<number, Seen>): void {
    for (const index of this.#shape.records.keys()) {
      if (seen.get(index) instanceof Buffer) continue;
      const isTold = findings.some(
        ({ indexes, severity }) =>
          severity !== 'note' && indexes !== undefined && indexes.from <= index && index <= indexes.to,
      );
      if (!isTold || ok)
        this.#problem(`${index} is ${tell(seen.get(index))}, and verify finds ${JSON.stringify(findings)}`);
    }
  }

  async #mended(machine: MemoryDisk): Promise<void> {
    this.#gauge.watch(machine);
    const codes: ErrorCode[] = this.#hits.identity
      ? ['CORRUPT', 'UNSUPPORTED_VERSION', 'INVALID_OPTION']
      : [];
    const repaired = await this.#attempt('repair', codes, () =>
      repairOn(machine.opener('repairs'), { directory: DIRECTORY }),
    );
    if (typeof repaired === 'string') return;
    if (this.#hits.identity && !repaired.ok) return;
    if (!repaired.ok) this.#problem(`repair leaves ${JSON.stringify(repaired.findings)}`);
    const after = await this.#verify(machine, 'verify after the repair');
    if (after !== undefined && !after.ok)
      this.#problem(`after the repair verify finds ${JSON.stringify(after.findings)}`);
    const queue = await this.#attempt('opening after the repair', [], () =>
      openOn(machine.opener('uses'), { ...this.#shape.options, maxFiles: 1024 }),
    );
    if (typeof queue === 'string') return;
    const seen = await this.#readAll(queue);
    this.#compare(seen, 'after the repair');
    for (const [index, found] of seen)
      if (typeof found === 'string') this.#problem(`after the repair ${index} is ${found}`);
    await this.#write(queue, seen);
    await this.#attempt('closing after the repair', [], () => queue.close());
    const last = await this.#verify(machine, 'verify in the end');
    if (last !== undefined && !last.ok)
      this.#problem(`in the end verify finds ${JSON.stringify(last.findings)}`);
  }
}

function tell(seen: Seen): string {
  if (typeof seen === 'string') return seen;
  return seen === undefined ? 'not there' : JSON.stringify(seen.toString());
}

const isSame = (a: Seen, b: Seen): boolean =>
  a instanceof Buffer && b instanceof Buffer ? a.equals(b) : a === b;
