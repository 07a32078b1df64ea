/** What this example's processes have in common. */
import type { When } from 'durostore';

export interface Report {
  readonly of: string;
}

export const EVERY_MS = 250;
/** In real life `{ cron: '0 6 * * 1-5', timezone: 'Europe/Berlin' }`: at six on weekdays. */
export const SCHEDULE: When = { everyMs: EVERY_MS };
export const REPORT: Report = { of: 'sales' };
/** This run hangs the first time. */
export const HANGS = 4;

/** What a process tells of its runs. */
export interface News {
  readonly name: string;
  readonly run: number;
  readonly attempt: number;
  readonly what: 'begins' | 'has done';
}
