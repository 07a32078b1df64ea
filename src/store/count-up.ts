/** So many whole numbers from `first` on. */
export function countUp(first: number, count: number): number[] {
  const numbers = new Array<number>(count);
  for (let at = 0; at < count; at++) numbers[at] = first + at;
  return numbers;
}
