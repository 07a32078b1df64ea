import type { EnqueueOptions } from './contract.js';

/** When a schedule ticks: by a cron expression, in a time zone (default: the machine's), or every so many milliseconds. */
export type When = { cron: string; timezone?: string | undefined } | { everyMs: number };

export interface ScheduleOptions extends EnqueueOptions {
  /**
   * What becomes of ticks that nobody was there for: none is enqueued, the last one is, or all are. Default `'last'`.
   */
  missed?: 'skip' | 'last' | 'all' | undefined;
}

export interface ScheduleInfo {
  name: string;
  when: When;
  /** The tick to come. */
  next: Date;
  /** The last tick that was enqueued. */
  last: Date | undefined;
}
