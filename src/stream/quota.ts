/**
 * How many of the partitions are the share of a member, by its place among the living ones, which have an order that all of them see.
 * Together they are all partitions, and no two shares differ by more than one.
 */
export function quota(partitions: number, members: number, place: number): number {
  return Math.floor(partitions / members) + (place < partitions % members ? 1 : 0);
}
