import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Random } from '../support/random.js';

/**
 * Which of the names that were given or taken, and are not on the device, a power cut keeps, by their places: every
 * combination of few; of many all, none, each alone, all but each, and some others.
 */
export function nameChoices(machine: MemoryDisk, numbers: Random): readonly ReadonlySet<number>[] {
  const places = Array.from({ length: unsyncedNames(machine) }, (_, place) => place);
  if (places.length <= 4)
    return Array.from(
      { length: 2 ** places.length },
      (_, bits) => new Set(places.filter((place) => (bits >> place) & 1)),
    );
  return [
    new Set(places),
    new Set<number>(),
    ...places.flatMap((one) => [new Set([one]), new Set(places.filter((place) => place !== one))]),
    ...Array.from({ length: 4 }, () => new Set(places.filter(() => numbers.chance(0.5)))),
  ];
}

/** The most changes to a directory's names that a power cut would decide about. */
function unsyncedNames(machine: MemoryDisk): number {
  let most = 0;
  machine.fork(1).powerCut({
    writes: 'keep',
    names(place) {
      most = Math.max(most, place + 1);
      return true;
    },
  });
  return most;
}
