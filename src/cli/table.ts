import Table from 'cli-table3';
import type { Paint } from './paint.js';

const NOTHING = '';
const PLAIN = {
  top: NOTHING,
  'top-mid': NOTHING,
  'top-left': NOTHING,
  'top-right': NOTHING,
  bottom: NOTHING,
  'bottom-mid': NOTHING,
  'bottom-left': NOTHING,
  'bottom-right': NOTHING,
  left: NOTHING,
  'left-mid': NOTHING,
  mid: NOTHING,
  'mid-mid': NOTHING,
  right: NOTHING,
  'right-mid': NOTHING,
  middle: '  ',
};

export interface Column {
  readonly name: string;
  readonly align?: 'left' | 'right';
}

/** Columns of text without rules around them, which pipes can take apart. The names of the columns are painted. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const made = new Table({
    chars: PLAIN,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: columns.map(({ align }) => align ?? 'left'),
  });
  if (columns.some(({ name }) => name !== '')) made.push(columns.map(({ name }) => paint('bold', name)));
  for (const row of rows) made.push([...row]);
  return made.toString().replace(/ +$/gm, '');
}
