import { InvalidArgumentError } from 'commander';

/** Indexes, both inclusive. */
export interface IndexRange {
  readonly from: number;
  readonly to: number;
}

/** Collects `7` and `5-9`, which may be given more than once. */
export function indexRanges(text: string, before: readonly IndexRange[] | true = []): IndexRange[] {
  const [, first = '', last = first] = /^([0-9]+)(?:-([0-9]+))?$/.exec(text) ?? [];
  const range = { from: Number(first), to: Number(last) };
  if (!(range.from >= 1 && range.from <= range.to && range.to <= Number.MAX_SAFE_INTEGER))
    throw new InvalidArgumentError('Expected an index of at least 1, or a range such as 5-9.');
  return [...(before === true ? [] : before), range];
}

/** What there may be of some ranges, from `first` up to but not including `end`, at most `most` at a time. */
export function* indexesOf(
  ranges: readonly IndexRange[],
  { first, end }: { readonly first: number; readonly end: number },
  most: number,
): Generator<number[], undefined> {
  let some: number[] = [];
  for (const { from, to } of ranges) {
    for (let index = Math.max(from, first); index <= Math.min(to, end - 1); index++) {
      some.push(index);
      if (some.length < most) continue;
      yield some;
      some = [];
    }
  }
  if (some.length > 0) yield some;
}

const MOST_LISTED = 20;

/** `7, 9-12`, ascending; a long list is cut. */
export function indexList(indexes: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const index of [...indexes].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && index <= last.to + 1) last.to = index;
    else ranges.push({ from: index, to: index });
  }
  const listed = ranges
    .slice(0, MOST_LISTED)
    .map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`));
  if (ranges.length > MOST_LISTED) listed.push('…');
  return listed.join(', ');
}
