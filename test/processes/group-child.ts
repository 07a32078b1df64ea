import process from 'node:process';
import { osDisk } from '../../src/disk/os.js';
import { openLog } from '../../src/mod.js';

/*
 * A member of a group, until it is killed. For each partition there is a file of notes, with a line for each record that anybody got. It
 * is locked from the record's return to its commit: two members on one partition at a time would meet there.
 */

const [directory = '', notes = '', name = '', locking] = process.argv.slice(2);
const log = await openLog({
  directory,
  durability: 'written',
  locking: locking === 'lockfile' ? 'lockfile' : 'os',
});
const topic = await log.topic('words');
const member = await topic.group('readers');
process.send?.('joined');
for (;;) {
  const found = await member.nextMany(20, { waitMs: Number.POSITIVE_INFINITY });
  const partition = found[0]?.partition;
  if (partition === undefined) continue;
  const path = `${notes}.${partition}`;
  const file = osDisk.create(path) ?? osDisk.open(path, 'write');
  if (file === undefined) throw new Error(`${path} is gone`);
  const isAlone = file.tryLock('exclusive');
  const lines = found.map(({ index, data }) => `${name} ${index} ${Buffer.from(data).toString()}\n`);
  const bytes = Buffer.from(isAlone ? lines.join('') : `${name} met somebody\n`);
  file.write(bytes, 0, bytes.length, file.size());
  await member.commit();
  file.close();
}
