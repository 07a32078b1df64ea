import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the condition's first result that is neither false, undefined nor null. Looks every few milliseconds
 * and rejects, naming what it waited for, when the deadline has passed.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<Exclude<T, false | undefined | null>> {
  const start = performance.now();
  for (;;) {
    const result = await condition();
    if (result !== false && result !== undefined && result !== null) {
      return result as Exclude<T, false | undefined | null>;
    }
    if (performance.now() - start > deadlineMs) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await sleep(5);
  }
}
