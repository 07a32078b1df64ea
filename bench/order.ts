/** Indexes from 1 to `records` in any order, the same each time. */
export function anyOrder(records: number, reads: number): number[] {
  const order: number[] = [];
  for (let n = 0, at = 1; n < reads; n++) {
    at = (at * 48271) % 2147483647;
    order.push((at % records) + 1);
  }
  return order;
}
