import { encodeScheduled, isSameWhen, type KeptWhen, type Schedule } from '../journal/schedule-facts.js';
import type { Engine } from '../store/engine.js';
import { nameOption } from '../store/names.js';
import { invalid } from '../store/options.js';
import { comingTick } from './due-tick.js';
import type { ScheduleInfo, When } from './schedule-contract.js';
import { tickRecord } from './tick-record.js';
import type { Ticker } from './ticker.js';

/** A queue's calls about schedules: they state facts, and everybody who has the queue open acts on them. */
export class ScheduleBook {
  readonly #engine: Engine;
  readonly #ticker: Ticker;

  constructor(engine: Engine, ticker: Ticker) {
    this.#engine = engine;
    this.#ticker = ticker;
  }

  /**
   * Keeps a schedule, on the device when it resolves. One of the same name and `when` goes on: its ticks are counted on, and none
   * comes twice. The very same one again states nothing. RECORD_TOO_LARGE where its messages would be.
   */
  async put(plain: Omit<Schedule, 'createdAt'>, signal: AbortSignal | undefined): Promise<void> {
    const { decider, fates, clock, writer } = this.#engine;
    signal?.throwIfAborted();
    writer.intake.assertSizes([tickRecord(plain, 0, clock.now())]);
    const draft = this.#transformed(plain);
    if (draft !== plain) writer.intake.assertSizes([tickRecord(draft, 0, clock.now())]);
    await decider.decide((facts) => {
      signal?.throwIfAborted();
      for (const { schedule } of fates.schedules.all()) {
        if (schedule.name !== draft.name && schedule.name.toLowerCase() === draft.name.toLowerCase())
          throw invalid('name', `a name that differs from '${schedule.name}' not only by case`, draft.name);
      }
      const known = fates.schedules.get(draft.name)?.schedule;
      const goesOn = known !== undefined && isSameWhen(known.when, draft.when);
      const schedule = { ...draft, createdAt: goesOn ? known.createdAt : Math.floor(clock.now()) };
      if (known === undefined || !encodeScheduled(schedule).equals(encodeScheduled(known)))
        facts.scheduled(schedule);
    }, true);
  }

  /**
   * What is encrypted in records is not to be had from the journal. Whoever enqueues a tick needs no transforms: the value goes into
   * the record as it is here. CODEC.
   */
  #transformed(plain: Omit<Schedule, 'createdAt'>): Omit<Schedule, 'createdAt'> {
    const { transforms } = this.#engine.options;
    if (transforms === undefined) return plain;
    return { ...plain, transforms: transforms.names, value: Buffer.from(transforms.encode(plain.value)) };
  }

  /** False where there is none of that name. On the device when it resolves. */
  remove(name: string): Promise<boolean> {
    const { decider, fates } = this.#engine;
    nameOption('name', name);
    return decider.decide((facts) => {
      const isThere = fates.schedules.get(name) !== undefined;
      if (isThere) facts.unscheduled(name);
      return isThere;
    }, true);
  }

  /** By name. */
  list(): ScheduleInfo[] {
    const { fates, clock } = this.#engine;
    const now = clock.now();
    return [...fates.schedules.all()]
      .sort((a, b) => (a.schedule.name < b.schedule.name ? -1 : 1))
      .map((state) => {
        const { schedule, last } = state;
        const times = this.#ticker.times(schedule);
        const next = times && comingTick(state, times, now);
        return {
          name: schedule.name,
          when: asGiven(schedule.when),
          // One that will never tick again, or that this version cannot tell of, has no time: an invalid date.
          next: new Date(next ?? Number.NaN),
          last: last && new Date(last.time),
        };
      });
  }
}

const asGiven = (when: KeptWhen): When => {
  if (when.kind === 'every') return { everyMs: when.everyMs };
  return when.zoneGiven ? { cron: when.cron, timezone: when.zone } : { cron: when.cron };
};
