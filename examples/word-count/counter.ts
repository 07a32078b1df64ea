/** Counts the words of those partitions that it has, with others of its kind. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { openLog } from 'durostore';
import { type Counted, type Counts, countsFile } from './words.js';

const [directory = ''] = process.argv.slice(2);
const log = await openLog({ directory, durability: 'written' });
const member = await (await log.topic('words')).group('counters');

async function load(partition: number): Promise<Counted> {
  const text = await readFile(countsFile(directory, partition), 'utf8').catch(() => undefined);
  return text === undefined ? { upTo: 0, counts: {} } : (JSON.parse(text) as Counted);
}

/** What is counted and up to where are one file, replaced as a whole: so what comes again is told, and counted once. */
async function save(partition: number, counted: Counted): Promise<void> {
  const file = countsFile(directory, partition);
  await writeFile(`${file}.new`, JSON.stringify(counted));
  await rename(`${file}.new`, file);
}

for (;;) {
  const found = await member.nextMany(1000, { waitMs: Number.POSITIVE_INFINITY });
  const partition = found[0]?.partition;
  if (partition === undefined) continue;
  const { upTo, counts } = await load(partition);
  const after: Counts = { ...counts };
  for (const { index, data } of found) {
    if (index <= upTo) continue;
    const word = Buffer.from(data).toString();
    after[word] = (after[word] ?? 0) + 1;
  }
  await save(partition, { upTo: Math.max(upTo, found.at(-1)?.index ?? 0), counts: after });
  await member.commit();
}
