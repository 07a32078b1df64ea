import { join } from 'node:path';

export const PARTITIONS = 6;

export type Counts = Record<string, number>;

/** What was counted of a partition, and up to which record. */
export interface Counted {
  readonly upTo: number;
  readonly counts: Counts;
}

export const countsFile = (directory: string, partition: number): string =>
  join(directory, `counts.${partition}.json`);

/** The words of a text, in small letters. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]{2,}/g) ?? [];
