import type { KeptWhen, Schedule } from '../journal/schedule-facts.js';
import { encodeHeaders } from '../store/headers.js';
import { nameOption } from '../store/names.js';
import { callOptions, invalid, oneOf, signalOption, wholeNumber } from '../store/options.js';
import { resolveOrder } from './message-marks.js';
import { LONGEST_DELAY_MS } from './options.js';
import type { ScheduleOptions, When } from './schedule-contract.js';
import { cronTimes } from './tick-times.js';

/** A tick is two syncs, mostly: more often is a loop, not a schedule. */
export const LEAST_EVERY_MS = 10;
const DURABILITIES = ['written', 'synced'] as const;
const LONGEST_EXPRESSION = 1000;
const OPTIONS = new Set([
  'id',
  'headers',
  'durability',
  'signal',
  'delayMs',
  'priority',
  'front',
  'key',
  'missed',
]);

/** A schedule but for its value, and the time when it is made. */
export type DraftSchedule = Omit<Schedule, 'createdAt' | 'codec' | 'value'>;

/** INVALID_OPTION where it is none. `now` is for finding out whether it will ever tick. */
export function resolveSchedule(
  name: string,
  when: When,
  options: ScheduleOptions | undefined,
  now: number,
): { readonly draft: DraftSchedule; readonly signal: AbortSignal | undefined } {
  const given = callOptions(options, OPTIONS);
  if (given.id !== undefined) throw invalid('id', 'none, for each tick is a message of its own', given.id);
  const { durability } = given;
  const order = resolveOrder(options);
  const draft: DraftSchedule = {
    name: nameOption('name', name),
    when: resolveWhen(when, now),
    missed: oneOf('missed', given.missed, 'last', ['skip', 'last', 'all']),
    priority: order?.priority ?? 0,
    front: order?.front ?? false,
    delayMs: order?.delayMs ?? 0,
    key: order?.key,
    durability:
      durability === undefined ? undefined : oneOf('durability', durability, 'synced', DURABILITIES),
    headers: encodeHeaders(given.headers),
  };
  return { draft, signal: signalOption(given.signal) };
}

function resolveWhen(when: When, now: number): KeptWhen {
  if (typeof when !== 'object' || when === null) throw invalid('when', '{ cron } or { everyMs }', when);
  const { cron, timezone, everyMs, ...others } = when as Readonly<Record<string, unknown>>;
  const isEvery = everyMs !== undefined;
  if (
    isEvery === (cron !== undefined) ||
    Object.keys(others).length > 0 ||
    (isEvery && timezone !== undefined)
  )
    throw invalid('when', '{ cron, timezone } or { everyMs }', when);
  if (isEvery) {
    if (typeof everyMs !== 'number') throw invalid('when.everyMs', 'a whole number', everyMs);
    return {
      kind: 'every',
      everyMs: wholeNumber('when.everyMs', everyMs, LEAST_EVERY_MS, LEAST_EVERY_MS, LONGEST_DELAY_MS),
    };
  }
  if (typeof cron !== 'string' || cron.length > LONGEST_EXPRESSION)
    throw invalid('when.cron', 'a cron expression of 5 or 6 fields', cron);
  if (timezone !== undefined && (typeof timezone !== 'string' || timezone.length > 100))
    throw invalid('when.timezone', 'the name of a time zone', timezone);
  // ⚑ The machine's zone is kept: processes with another one in their environment come to the same times.
  const zone = timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  assertZone(zone);
  assertTicks(cron.trim(), zone, now);
  return { kind: 'cron', cron: cron.trim(), zone, zoneGiven: timezone !== undefined };
}

function assertZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw invalid('when.timezone', "the name of a time zone, such as 'Europe/Berlin'", zone);
  }
}

/** Croner takes a date, too, and names of its own for some expressions: both are no expression of 5 or 6 fields. */
function assertTicks(cron: string, zone: string, now: number): void {
  const fields = cron === '' ? 0 : cron.split(/\s+/).length;
  if (fields !== 5 && fields !== 6) throw invalid('when.cron', 'a cron expression of 5 or 6 fields', cron);
  let next: number | undefined;
  try {
    next = cronTimes(cron, zone).next(now);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid('when.cron', `a cron expression (${reason})`, cron);
  }
  if (next === undefined) throw invalid('when.cron', 'a cron expression that comes true some day', cron);
}
