import { Cron } from 'croner';
import type { Schedule } from '../journal/schedule-facts.js';

/** When a schedule ticks, by the wall clock, in milliseconds. */
export interface TickTimes {
  /** The first tick after that time; undefined where there is none any more. */
  next(after: number): number | undefined;
}

/** Croner throws a TypeError or a RangeError where the expression is none, or the zone unknown. */
export function cronTimes(expression: string, timezone: string): TickTimes {
  const cron = new Cron(expression, { timezone, mode: '5-or-6-parts', paused: true });
  return { next: (after) => cron.nextRun(new Date(after))?.getTime() };
}

/** Counted from the anchor, so that everybody comes to the same times, whenever they begin to count. */
export const everyTimes = (anchor: number, everyMs: number): TickTimes => ({
  next: (after) => anchor + Math.max(1, Math.floor((after - anchor) / everyMs) + 1) * everyMs,
});

/** Remembers the last answer: the tick behind a schedule's last one is asked for at each look. */
function remembering(times: TickTimes): TickTimes {
  let asked = Number.NaN;
  let answer: number | undefined;
  return {
    next(after) {
      if (after !== asked) {
        answer = times.next(after);
        asked = after;
      }
      return answer;
    },
  };
}

export const timesOf = ({ when, createdAt }: Schedule): TickTimes =>
  when.kind === 'every' ? everyTimes(createdAt, when.everyMs) : remembering(cronTimes(when.cron, when.zone));

/** The last tick after `after` that is not after `upTo`; undefined where there is none. Looks at some of them only, however many there are. */
export function lastTick({ next }: TickTimes, after: number, upTo: number): number | undefined {
  let tick = next(after);
  if (tick === undefined || tick > upTo) return undefined;
  // There is no tick after this and up to `upTo`.
  let none = upTo;
  while (tick < none) {
    const middle: number = tick + Math.floor((none - tick) / 2);
    const found = next(middle);
    if (found !== undefined && found <= upTo) tick = found;
    else none = middle;
  }
  return tick;
}
