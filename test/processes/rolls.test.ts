import { existsSync } from 'node:fs';
import t from 'tap';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { KEPT, roll } from './rolls.js';

/** `npm run soak -- --segments 100000` rolls as many as one likes. */
const COUNT = 4000;
const MIB = 1024 * 1024;
/** Where the system keeps files in memory, for the device has nothing to say here. */
const IN_MEMORY = '/dev/shm';

t.test(`${COUNT} segments are begun and removed, and nothing grows`, async (t) => {
  const directory = await temporaryDirectory(t, existsSync(IN_MEMORY) ? IN_MEMORY : undefined);
  const { heap, descriptors, mostFiles, wrong, left } = await roll(directory, COUNT);
  t.same(wrong, []);
  t.same(left, { next: COUNT + 1, length: KEPT, files: KEPT });
  // Of each segment two, of twice as many segments as are kept, and some others.
  t.ok(mostFiles <= 4 * KEPT + 20, `${mostFiles} files at most`);
  t.ok(heap[1] - heap[0] < 2 * MIB, `${heap} bytes of memory`);
  const [before = 0, after = 0] = descriptors;
  // Files that were rolled away from are closed by and by.
  t.ok(after - before < 40, `${descriptors} descriptors`);
});
