/**
 * Writes records that say their number into the directory given first.
 * The second argument is how many.
 */
import { openStore } from '../../src/store/store.js';

const [directory = '', count = '0'] = process.argv.slice(2);
const store = await openStore({ directory, maxFileSize: 64 * 1024, durability: 'written' });
for (let n = 1; n <= Number(count); n++) {
  await store.write(new TextEncoder().encode(`${n}`));
  // A turn of the event loop, so that others get theirs on one core.
  await new Promise((resolve) => setImmediate(resolve));
}
await store.close();
process.send?.('done');
