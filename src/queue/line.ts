import { decodeOrderMarks, EntryFlag } from '../frame/order-marks.js';
import type { FateWatcher } from '../journal/fates.js';
import { markedEntries } from '../segment/mark-scan.js';
import type { Engine } from '../store/engine.js';
import { DueTimes } from './due-times.js';
import { firstInNeither } from './first-in-neither.js';
import { KeyLine } from './key-line.js';
import { Lane } from './lane.js';
import { type Marked, MarkFollower, type MarkSink, readingMarks } from './mark-follower.js';
import { PlainOrder } from './plain-order.js';
import { isBefore, type Rank, RankHeap } from './rank-heap.js';

export const HIGHEST_PRIORITY = 9;

/** So many fall due before others have a turn of the event loop. */
const AT_ONCE = 256;

/**
 * Which message comes next. A message that carries no marks needs nothing here: it waits unless a fact says otherwise, and the
 * fates know that. Of those with marks the line knows where they stand:
 *
 * - one with a due time is *delayed*, and to be had from then on, at its place;
 * - of the others, one of a higher priority comes before one of a lower; within one, those that were put to the front come first,
 *   the last batch before the others, and then all in the order of their indexes;
 * - one with a key waits until it is the first of its key, and no other of that key is claimed.
 *
 * Marks cost memory: a bit in each of up to four bitmaps for a message with a priority or a delay, half a KiB for one that stands
 * alone among those without; 16 bytes for each of the 262,144 that fall due soonest; about 50 bytes for one that was put to the front,
 * and 100 and the key itself for one with a key.
 *
 * It is what the records' marks and the facts say, in whichever order they are learnt, and knows no more than the opener has seen.
 */
export class Line implements FateWatcher, MarkSink {
  readonly #engine: Engine;
  readonly #follower: MarkFollower;
  /** All that carry marks and are there. */
  readonly #marked = new Lane();
  /**
   * Of those: that cannot be had as a message without marks can. Those that are gone stay until all around them are, so that a
   * search passes over them in words and blocks, not one by one.
   */
  readonly #aside = new Lane();
  readonly #delayed = new Lane();
  readonly #dues: DueTimes;
  /** By priority, those that carry it, and those of them that wait. Of priority 0 nothing is kept. */
  readonly #ofPriority: Lane[] = [];
  readonly #waiting: Lane[] = [];
  /** Those that were put to the front wait apart, by priority. */
  readonly #waitingInFront: Lane[] = [];
  /** No message before it can be had as one without marks: a search need not begin anew. */
  #plainFrom = 1;
  readonly #frontOf = new Map<number, number>();
  readonly #keys = new Map<string, KeyLine>();
  readonly #keyOf = new Map<number, KeyLine>();

  /** `dues`: tests keep few in memory. */
  constructor(engine: Engine, dues = new DueTimes()) {
    this.#engine = engine;
    this.#dues = dues;
    for (let priority = 0; priority <= HIGHEST_PRIORITY; priority++) {
      this.#ofPriority.push(new Lane());
      this.#waiting.push(new Lane());
      this.#waitingInFront.push(new Lane());
    }
    this.#follower = new MarkFollower(engine, this, {
      from: () => engine.firstIndex,
      segment: (first, next) => engine.fates.goneSet.firstAbsent(first) < next,
    });
    engine.fates.watch(this);
  }

  /** Messages that are there and not yet due. */
  get delayedCount(): number {
    return this.#delayed.count;
  }

  isDelayed(index: number): boolean {
    return this.#delayed.has(index);
  }

  /** Wall time before which no delayed message falls due; infinite where there is none. */
  get nextDue(): number {
    return this.#delayed.count === 0 ? Number.POSITIVE_INFINITY : this.#dues.earliest;
  }

  /** Whether a look may take long: then `lookInTurns` had better come before it. */
  get isBehind(): boolean {
    if (this.#follower.isBehind) return true;
    return this.#delayed.count > 0 && this.#dues.earliest <= this.#engine.clock.now();
  }

  /** Does what may take long in a look, with turns of the event loop in between. */
  async lookInTurns(): Promise<void> {
    await this.#follower.followInTurns();
    const engine = this.#engine;
    const { clock, turns } = engine;
    while (this.#delayed.count > 0 && this.#wake(clock.now(), AT_ONCE)) {
      const pause = turns.pause();
      if (pause === undefined) continue;
      await pause;
      engine.assertOpen();
    }
  }

  /** Takes in what the opener has seen since, and what has fallen due. */
  look(): void {
    this.#follower.follow();
    if (this.#delayed.count > 0) this.#wake(this.#engine.clock.now());
  }

  /** The lowest index of those that can be had; `end` where there is none below it. */
  oldest(end: number): number {
    let lowest = Math.min(end, this.#nextPlain(1));
    for (const lanes of [this.#waiting, this.#waitingInFront])
      for (const lane of lanes) if (lane.count > 0) lowest = Math.min(lowest, lane.first(1));
    return lowest;
  }

  /**
   * The messages that wait, below `end`, in the order in which they are to be had. With `all`, those that only wait for another one
   * of their key that came before; without, they are left out, as for who takes them without finishing them.
   */
  inOrder(end: number, all: boolean): IterableIterator<number> {
    return this.#marked.count === 0 ? new PlainOrder(this.#nextPlain, end) : this.#inRankOrder(end, all);
  }

  *#inRankOrder(end: number, all: boolean): IterableIterator<number> {
    const behind = new RankHeap();
    for (const rank of this.#ranked(end)) {
      for (let first = behind.first; first !== undefined && isBefore(first, rank); first = behind.first) {
        behind.takeFirst();
        yield first.index;
        this.#unblock(first.index, end, behind);
      }
      yield rank.index;
      if (all) this.#unblock(rank.index, end, behind);
    }
    for (let first = behind.takeFirst(); first !== undefined; first = behind.takeFirst()) {
      yield first.index;
      this.#unblock(first.index, end, behind);
    }
  }

  marked({ index, entry, marks }: Marked): void {
    const { fates } = this.#engine;
    if (fates.goneSet.has(index)) return;
    const priority = Math.min(entry.flags & EntryFlag.priority, HIGHEST_PRIORITY);
    this.#marked.add(index);
    if (priority > 0) this.#ofPriority[priority]?.add(index);
    if ((entry.flags & (EntryFlag.front | EntryFlag.key)) !== 0) {
      const { front, key } = decodeOrderMarks(marks() ?? new Uint8Array());
      if (front !== undefined) this.#frontOf.set(index, index - front);
      if (key !== undefined) this.#joinKey(index, key);
    }
    if (entry.due > this.#engine.clock.now() && fates.attemptsOf(index) === 0) {
      this.#delayed.add(index);
      this.#dues.add(index, entry.due);
    }
    this.#changed(index);
  }

  forgetMarks(): void {
    for (const lanes of [this.#ofPriority, this.#waiting, this.#waitingInFront])
      for (const lane of lanes) lane.clear();
    for (const lane of [this.#marked, this.#aside, this.#delayed]) lane.clear();
    this.#dues.clear();
    this.#plainFrom = 1;
    this.#frontOf.clear();
    this.#keys.clear();
    this.#keyOf.clear();
  }

  moved(from: number, to: number): void {
    this.#plainFrom = Math.min(this.#plainFrom, from);
    if (this.#marked.count === 0) return;
    for (let index = this.#marked.first(from); index < to; index = this.#marked.first(index + 1)) {
      if (this.#delayed.has(index) && this.#engine.fates.attemptsOf(index) > 0) this.#delayed.remove(index);
      this.#changed(index);
    }
  }

  /** What was gone, and is forgotten here, may not be. */
  cleared(): void {
    this.#follower.restart();
  }

  /** Wakes what has fallen due, `most` at once; true where there may be more. */
  #wake(now: number, most = Number.POSITIVE_INFINITY): boolean {
    let left = most;
    for (;;) {
      for (let index = this.#dues.take(now); index !== undefined; index = this.#dues.take(now)) {
        if (!this.#delayed.has(index)) continue;
        this.#delayed.remove(index);
        this.#changed(index);
        left -= 1;
        if (left === 0) return true;
      }
      if (!this.#dues.isSpent || this.#delayed.count === 0) return false;
      this.#recallDues();
      if (this.#dues.earliest > now) return false;
    }
  }

  /** What falls due beyond the horizon is not kept: the entries say it again. */
  #recallDues(): void {
    const { files, tail } = this.#engine;
    const hasDelayed = (first: number, next: number): boolean => this.#delayed.first(first) < next;
    const from = this.#delayed.first(0);
    this.#dues.clear();
    let isWhole = false;
    try {
      readingMarks(() => {
        for (const { index, marks } of markedEntries(files, tail, from, tail.nextIndex, hasDelayed))
          if (this.#delayed.has(index)) this.#dues.add(index, marks?.due ?? this.#readDue(index));
      });
      isWhole = true;
    } finally {
      if (!isWhole) this.#dues.forget();
    }
  }

  #readDue(index: number): number {
    try {
      return decodeOrderMarks(this.#engine.readBytes(index)?.marks ?? new Uint8Array()).due;
    } catch {
      return 0;
    }
  }

  /** Something has become of the message, or it is new. */
  #changed(index: number): void {
    const line = this.#keyOf.get(index);
    if (line === undefined) {
      this.#place(index);
      return;
    }
    const { fates } = this.#engine;
    const before = line.open;
    const claim = fates.claims.get(index);
    if (fates.goneSet.has(index) || fates.isDead(index)) line.remove(index);
    else {
      line.add(index);
      line.setClaimed(index, claim !== undefined && !claim.expired);
    }
    const after = line.open;
    if (fates.goneSet.has(index)) this.#leaveKey(index, line);
    this.#place(index);
    // One that is gone itself is told of next, and has to leave its key first.
    for (const other of new Set([before, after]))
      if (other !== undefined && other !== index && !fates.goneSet.has(other)) this.#place(other);
  }

  /** Puts the message where it stands by now. */
  #place(index: number): void {
    const { fates } = this.#engine;
    const { priority, frontOf } = this.#rank(index);
    const isGone = fates.goneSet.has(index);
    const key = this.#keyOf.get(index);
    const isOpen = key === undefined || key.open === index;
    const waits = isOpen && !fates.taken.has(index) && !this.#delayed.has(index);
    const isPlain = priority === 0 && frontOf === undefined;
    if (frontOf !== undefined) this.#waitingInFront[priority]?.set(index, waits);
    else if (priority > 0) this.#waiting[priority]?.set(index, waits);
    this.#aside.set(index, !(waits && isPlain));
    this.#plainFrom = Math.min(this.#plainFrom, index);
    if (isGone) this.#forget(index, priority);
  }

  #forget(index: number, priority: number): void {
    const { goneSet } = this.#engine.fates;
    this.#aside.forgetBlock(index, (from, to) => goneSet.firstAbsent(from) >= to);
    this.#marked.remove(index);
    this.#delayed.remove(index);
    this.#frontOf.delete(index);
    if (priority > 0) this.#ofPriority[priority]?.remove(index);
  }

  #joinKey(index: number, key: string): void {
    if (this.#keyOf.has(index)) return;
    let line = this.#keys.get(key);
    if (line === undefined) {
      line = new KeyLine(key);
      this.#keys.set(key, line);
    }
    line.count += 1;
    this.#keyOf.set(index, line);
  }

  #leaveKey(index: number, line: KeyLine): void {
    this.#keyOf.delete(index);
    line.count -= 1;
    if (line.count === 0) this.#keys.delete(line.key);
  }

  #rank(index: number): Rank {
    return { index, priority: this.#priorityOf(index), frontOf: this.#frontOf.get(index) };
  }

  #priorityOf(index: number): number {
    for (let priority = HIGHEST_PRIORITY; priority > 0; priority--)
      if (this.#ofPriority[priority]?.has(index)) return priority;
    return 0;
  }

  /** Those that wait, in order; none twice. */
  *#ranked(end: number): IterableIterator<Rank> {
    for (let priority = HIGHEST_PRIORITY; priority >= 0; priority--) {
      for (const index of this.#inFront(priority, end))
        yield { index, priority, frontOf: this.#frontOf.get(index) };
      if (priority > 0 && this.#waiting[priority]?.count === 0) continue;
      const next = priority > 0 ? this.#nextOf(priority) : this.#nextPlain;
      for (let index = next(1); index < end; index = next(index + 1))
        yield { index, priority, frontOf: undefined };
    }
  }

  readonly #nextOf =
    (priority: number) =>
    (from: number): number =>
      this.#waiting[priority]?.first(from) ?? Number.POSITIVE_INFINITY;

  /** Of what neither a fact nor a mark takes aside. */
  readonly #nextPlain = (from: number): number => {
    const { taken } = this.#engine.fates;
    if (from > this.#plainFrom) return firstInNeither(from, taken, this.#aside);
    this.#plainFrom = firstInNeither(this.#plainFrom, taken, this.#aside);
    return this.#plainFrom;
  };

  /** The last batch first, each in the order of its indexes. */
  *#inFront(priority: number, end: number): IterableIterator<number> {
    const lane = this.#waitingInFront[priority];
    if (lane === undefined || lane.count === 0) return;
    let below = end;
    for (;;) {
      const last = lane.last(below);
      if (last < 0) return;
      const batch = this.#frontOf.get(last) ?? last;
      for (let index = lane.first(batch); index < below; index = lane.first(index + 1)) yield index;
      below = batch;
    }
  }

  /** What waited only for that one may come next. */
  #unblock(index: number, end: number, behind: RankHeap): void {
    const next = this.#keyOf.get(index)?.after(index);
    if (next === undefined || next >= end) return;
    if (this.#delayed.has(next) || this.#engine.fates.taken.has(next)) return;
    behind.add(this.#rank(next));
  }
}
