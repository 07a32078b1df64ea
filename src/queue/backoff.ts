import type { ResolvedBackoff } from './options.js';

/**
 * How many milliseconds a message waits after its attempt-th claim has failed: `initialMs` after the first, `factor` times as
 * long after each further one, at most `maxMs`. With jitter up to half of it is taken off at random, so that what failed
 * together does not come again together: "equal jitter" in Marc Brooker, Exponential Backoff And Jitter, AWS Architecture
 * Blog, 2015. `random` is at least 0 and below 1.
 */
export function backoffMs(
  { initialMs, factor, maxMs, jitter }: ResolvedBackoff,
  attempt: number,
  random: () => number = Math.random,
): number {
  // Zero times a factor that has become infinite would be no number.
  if (initialMs === 0) return 0;
  const whole = Math.min(maxMs, initialMs * factor ** (attempt - 1));
  return Math.round(jitter ? whole - (whole / 2) * random() : whole);
}
