const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Thousands apart. */
export const grouped = (value: number): string => value.toLocaleString('en-US');

/** A number of bytes, and what people call it. */
export function bytesOf(value: number): string {
  let size = value;
  let unit = '';
  for (const larger of UNITS) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return unit === '' ? grouped(value) : `${grouped(value)} (${size.toFixed(1)} ${unit})`;
}

/** `1 record`, `2 records`. */
export const counted = (count: number, what: string): string =>
  `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;
