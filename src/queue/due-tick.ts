import type { ScheduleState } from '../journal/schedules.js';
import { lastTick, type TickTimes } from './tick-times.js';

/** Who is there looks once a minute at least: what is older was slept through, by the machine or by its clock. */
export const MISSED_AFTER_MS = 60_000;

/**
 * The tick that is to be enqueued next, of those that are due at `now`; undefined where none is. `presentMs` is how long this
 * process has been there for the schedule's ticks.
 *
 * A tick is *missed* where this process was not there at its time, or did not get to it within a minute. Those that are not
 * missed are enqueued each; of those that are:
 *
 * | `missed` | enqueued                            |
 * | -------- | ----------------------------------- |
 * | `skip`   | none                                |
 * | `last`   | the last one, the others never more |
 * | `all`    | each                                |
 *
 * A clock that is set back makes no tick due that was enqueued: it goes on behind the last one that was.
 */
export function dueTick(
  { schedule, last }: ScheduleState,
  times: TickTimes,
  now: number,
  presentMs: number,
): number | undefined {
  const after = last?.time ?? schedule.createdAt;
  const first = times.next(after);
  if (first === undefined || first > now) return undefined;
  const missedUpTo = now - Math.min(presentMs, MISSED_AFTER_MS);
  if (schedule.missed === 'all' || first > missedUpTo) return first;
  if (schedule.missed === 'last') return lastTick(times, after, missedUpTo);
  const attended = times.next(missedUpTo);
  return attended !== undefined && attended <= now ? attended : undefined;
}

/** The tick to come: the first one that is neither enqueued nor before `now`; undefined where there is none any more. */
export function comingTick(
  { schedule, last }: ScheduleState,
  times: TickTimes,
  now: number,
): number | undefined {
  const next = times.next(last?.time ?? schedule.createdAt);
  return next === undefined || next > now ? next : times.next(now);
}
