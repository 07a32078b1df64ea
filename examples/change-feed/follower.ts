/** Keeps the latest price of each product, and goes on where it was when it was killed. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from 'durostore';
import type { Change, News } from './change.js';

const [directory = '', name = ''] = process.argv.slice(2);
const file = join(directory, `${name}.json`);
const stop = new AbortController();
process.on('message', () => stop.abort());

/** What was kept at the last commit. */
const text = await readFile(file, 'utf8').catch(() => '[]');
const prices = new Map<number, number>(JSON.parse(text) as [number, number][]);

const changes = await openStore({ directory, durability: 'written' });
const consumer = await changes.consumer(name, { exclusive: true });
try {
  for (;;) {
    const batch = await consumer.nextMany(200, { waitMs: Number.POSITIVE_INFINITY, signal: stop.signal });
    for (const { data } of batch) {
      const { product, price } = JSON.parse(Buffer.from(data).toString()) as Change;
      prices.set(product, price);
    }
    // First the work, then the commit: killed in between, it does the batch again, which makes no difference to a price.
    await writeFile(`${file}.new`, JSON.stringify([...prices]));
    await rename(`${file}.new`, file);
    await consumer.commit();
    const sum = [...prices.values()].reduce((total, price) => total + price, 0);
    process.send?.({ applied: batch.at(-1)?.index ?? 0, sum } satisfies News);
  }
} catch (error) {
  if (!stop.signal.aborted) throw error;
} finally {
  await changes.close();
  process.disconnect();
}
