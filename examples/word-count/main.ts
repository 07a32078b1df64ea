/** Counts the words of a text in three processes, which share the partitions of a topic out. See README.md. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLog } from 'durostore';
import { type Counts, countsFile, PARTITIONS, wordsOf } from './words.js';

const COUNTERS = 3;

/** The text: the documents of this very library. */
async function readText(): Promise<string> {
  const root = new URL('../../../', import.meta.url);
  const names = ['README.md', 'ARCHITECTURE.md', 'docs/guarantees.md', 'docs/format.md'];
  return (await Promise.all(names.map((name) => readFile(new URL(name, root), 'utf8')))).join('\n');
}

const directory = await mkdtemp(join(tmpdir(), 'durostore-words-'));
const log = await openLog({ directory, durability: 'written', partitions: PARTITIONS });
const children: ChildProcess[] = [];
const start = (): void => {
  children.push(fork(fileURLToPath(new URL('./counter.js', import.meta.url)), [directory]));
};

try {
  const topic = await log.topic('words');
  for (let count = 0; count < COUNTERS; count++) start();

  const words = wordsOf(await readText());
  const expected = new Map<string, number>();
  const ends: number[] = Array.from({ length: PARTITIONS }, () => 0);
  for (let at = 0; at < words.length; at += 500) {
    const batch = words.slice(at, at + 500);
    const places = await Promise.all(batch.map((word) => topic.append(Buffer.from(word), { key: word })));
    for (const { partition, index } of places) ends[partition] = Math.max(ends[partition] ?? 0, index);
    for (const word of batch) expected.set(word, (expected.get(word) ?? 0) + 1);
    if (at === 2000) {
      console.log('one of the three is killed, and another one joins');
      children[0]?.kill('SIGKILL');
      start();
    }
  }

  const isDone = async (partition: number): Promise<boolean> => {
    const [group] = await (await topic.partition(partition)).consumers();
    return (group?.committed ?? 0) >= (ends[partition] ?? 0);
  };
  for (const [partition] of ends.entries()) while (!(await isDone(partition))) await sleep(20);

  const counts: Counts = Object.assign(
    {},
    ...(await Promise.all(
      ends.map(async (end, partition) =>
        end === 0
          ? {}
          : (JSON.parse(await readFile(countsFile(directory, partition), 'utf8')).counts as Counts),
      ),
    )),
  );
  const isRight = [...expected].every(([word, count]) => counts[word] === count);
  console.log(isRight ? 'every word was counted as often as it is there' : 'some counts are wrong');
  const [first] = Object.entries(counts).sort(([, a], [, b]) => b - a);
  console.log(`the word that is there most often: ${first?.[0]}`);
} finally {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await log.close();
  await rm(directory, { recursive: true });
}
