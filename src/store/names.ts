import { invalid } from './options.js';

/** Names are those of files, somewhere: on some systems they may not differ by case alone, or end in a dot. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?$/;

/** INVALID_OPTION where it is no name that things in a store can have. */
export function nameOption(option: string, value: unknown): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw invalid(
    option,
    'a letter or digit, then letters, digits, _, - or ., which is not the last, at most 100',
    value,
  );
}
