import { isSameWhen, type Schedule, type ScheduleSink } from './schedule-facts.js';

/** A tick, and the record that it is. */
export interface Tick {
  readonly time: number;
  readonly index: number;
}

/** A schedule and how far it has got. */
export interface ScheduleState {
  readonly schedule: Schedule;
  /** The last tick that was enqueued. */
  readonly last: Tick | undefined;
  /** The one before it: the last one again, should the last one's record be lost. */
  readonly previous: Tick | undefined;
  /** Whoever was about to enqueue it has not said what came of it: it died, mostly. */
  readonly ticking: Tick | undefined;
}

/**
 * The schedules there are, and how far each has got: the fold of the facts about them. As all of the state it knows no clock:
 * which ticks are due is for whoever looks.
 *
 * ⚑ At most one tick of a schedule is under way, and only the last one's record may be missing on the device: nobody begins a
 * tick before what became of the one before is known, and its record synced.
 */
export class Schedules implements ScheduleSink {
  /** Called when something about the schedules is different. */
  onChange: (() => void) | undefined;
  readonly #states = new Map<string, ScheduleState>();
  /** How many are under way. */
  #unresolved = 0;

  get size(): number {
    return this.#states.size;
  }

  get(name: string): ScheduleState | undefined {
    return this.#states.get(name);
  }

  /** All of them, in the order in which they were made. */
  all(): IterableIterator<ScheduleState> {
    return this.#states.values();
  }

  /** Ticks of which is not known whether they were enqueued. Normally none, which costs nothing to find out. */
  unresolved(): readonly (readonly [name: string, tick: Tick])[] {
    if (this.#unresolved === 0) return [];
    const found: [string, Tick][] = [];
    for (const [name, { ticking }] of this.#states) if (ticking !== undefined) found.push([name, ticking]);
    return found;
  }

  scheduled(schedule: Schedule): void {
    const known = this.#states.get(schedule.name);
    // An app that declares its schedules at each start goes on where it was.
    const goesOn = known !== undefined && isSameWhen(known.schedule.when, schedule.when);
    this.#put({
      schedule,
      last: goesOn ? known.last : undefined,
      previous: goesOn ? known.previous : undefined,
      ticking: goesOn ? known.ticking : undefined,
    });
  }

  unscheduled(name: string): void {
    const known = this.#states.get(name);
    if (known === undefined) return;
    if (known.ticking !== undefined) this.#unresolved -= 1;
    this.#states.delete(name);
    this.onChange?.();
  }

  ticking(name: string, time: number, index: number): void {
    const known = this.#states.get(name);
    if (known !== undefined) this.#put({ ...known, ticking: { time, index } });
  }

  ticked(name: string): void {
    const known = this.#states.get(name);
    if (known?.ticking === undefined) return;
    this.#put({ ...known, last: known.ticking, previous: known.last, ticking: undefined });
  }

  unticked(name: string): void {
    const known = this.#states.get(name);
    if (known?.ticking !== undefined) this.#put({ ...known, ticking: undefined });
  }

  /**
   * The records `[from, to)` were lost, but those that `isGone`: somebody had them before. A tick whose record it was is to be
   * enqueued again, so it never was.
   */
  lost(from: number, to: number, isGone: (index: number) => boolean): void {
    if (this.#states.size === 0) return;
    const isLost = (tick: Tick | undefined): boolean =>
      tick !== undefined && tick.index >= from && tick.index < to && !isGone(tick.index);
    for (const state of [...this.#states.values()]) {
      const { last, previous, ticking } = state;
      if (!isLost(last) && !isLost(ticking)) continue;
      this.#put({
        ...state,
        last: isLost(last) ? previous : last,
        previous: isLost(last) ? undefined : previous,
        ticking: isLost(ticking) ? undefined : ticking,
      });
    }
  }

  /** Says the whole state again, in facts. */
  tell(sink: ScheduleSink): void {
    for (const { schedule, last, previous, ticking } of this.#states.values()) {
      const { name } = schedule;
      sink.scheduled(schedule);
      for (const tick of [previous, last]) {
        if (tick === undefined) continue;
        sink.ticking(name, tick.time, tick.index);
        sink.ticked(name);
      }
      if (ticking !== undefined) sink.ticking(name, ticking.time, ticking.index);
    }
  }

  clear(): void {
    if (this.#states.size === 0) return;
    this.#states.clear();
    this.#unresolved = 0;
    this.onChange?.();
  }

  #put(state: ScheduleState): void {
    const { name } = state.schedule;
    const before = this.#states.get(name);
    if (before?.ticking !== undefined) this.#unresolved -= 1;
    if (state.ticking !== undefined) this.#unresolved += 1;
    this.#states.set(name, state);
    this.onChange?.();
  }
}
