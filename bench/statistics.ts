/** The middle of some turns, and how far they lie apart. */
export interface Figures {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function figures(values: readonly number[]): Figures {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The value that `part` of all values do not exceed. */
export function percentile(values: readonly number[], part: number): number {
  if (part === 0.5) return median(values);
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
