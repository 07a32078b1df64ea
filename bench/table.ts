import type { Result, Verdict } from './cell.js';
import type { Figures } from './statistics.js';

/** Three significant digits, and never an exponent. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(4, digits));
}

export const range = ({ median, least, most }: Figures): string =>
  `${number(median)} (${number(least)}-${number(most)})`;

export function verdictText({ to, atMost, reached, ok }: Verdict, unit: string): string {
  const what = to === undefined ? `${number(reached)} ${unit}` : `${number(reached)} × ${to}`;
  return `${ok ? 'ok' : 'MISSED'}: ${what}, at most ${atMost}`;
}

/** A result as lines of text. */
export function linesOf({ id, name, unit, contestants, verdicts, behind, failures = [] }: Result): string[] {
  const lines = [`${id}: ${name} (${unit})`];
  const width = Math.max(22, ...contestants.map(({ name: who }) => who.length)) + 2;
  for (const { name: who, figures, cpu } of contestants) {
    const own = verdicts.filter(({ of }) => of === who).map((verdict) => verdictText(verdict, unit));
    const used = cpu === undefined ? '' : `${number(cpu)} CPU`;
    lines.push(
      `  ${who.padEnd(width)}${range(figures).padEnd(26)}${used.padEnd(12)}${own.join('; ')}`.trimEnd(),
    );
  }
  if (behind !== undefined && behind.length > 0) lines.push(`  MISSED: not ahead of ${behind.join(', ')}`);
  for (const failure of failures) lines.push(`  FAILED: ${failure}`);
  return lines;
}
