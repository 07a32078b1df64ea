/** A group over several processes, killed and added at random. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openLog } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const PARTITIONS = 16;
const MEMBERS = 4;
const DEATHS = 12;
const isJoined = (message: unknown): message is string => message === 'joined';

t.test('members die and join: every record at least once, in order, never two on a partition', async (t) => {
  const directory = await temporaryDirectory(t);
  const notes = await temporaryDirectory(t);
  const dice = random(t);
  const log = await openLog({ directory, durability: 'written', partitions: PARTITIONS });
  t.teardown(() => log.close());
  const topic = await log.topic('words');
  let count = 0;
  const start = async (): Promise<ReturnType<typeof startProgram>> => {
    count += 1;
    const args = [directory, join(notes, 'notes'), `${count}`];
    const program = startProgram(t, 'test/processes/group-child.js', { args });
    await program.message(isJoined);
    return program;
  };
  const living = await Promise.all(Array.from({ length: MEMBERS }, start));
  const appended: number[] = Array.from({ length: PARTITIONS }, () => 0);
  let n = 0;
  const append = async (records: number): Promise<void> => {
    for (let at = 0; at < records; at++) {
      n += 1;
      const { partition, index } = await topic.append(Buffer.from(`${n}`), { key: `key ${n % 97}` });
      appended[partition] = index;
    }
  };
  for (let death = 0; death < DEATHS; death++) {
    await append(100 + dice.integer(0, 200));
    await living.splice(dice.integer(0, living.length - 1), 1)[0]?.kill();
    await append(dice.integer(0, 100));
    living.push(await start());
  }
  await append(100);
  const committed = async (): Promise<number[]> =>
    Promise.all(
      appended.map(async (_, number) => {
        const found = await (await topic.partition(number)).consumers();
        return found.find(({ name }) => name === 'readers')?.committed ?? 0;
      }),
    );
  await until('everything committed', async () => String(await committed()) === String(appended), 60_000);
  for (const program of living) await program.kill();
  for (const [partition, records] of appended.entries()) {
    const text = records === 0 ? '' : readFileSync(join(notes, `notes.${partition}`), 'utf8');
    let [before, last, greatest] = ['', 0, 0];
    for (const line of text.split('\n').slice(0, -1)) {
      const [name = '', index] = line.split(' ');
      const at = Number(index);
      // Another one begins where the group was: what the one before had not committed comes again.
      const isNext = name === before ? at === last + 1 : at >= 1 && at <= greatest + 1;
      if (!isNext) t.fail(`partition ${partition}: ${name} got ${index} behind ${last} of ${before}`);
      before = name;
      last = at;
      greatest = Math.max(greatest, at);
    }
    t.equal(greatest, records, `all of partition ${partition}`);
  }
});
