/** Joins a group, says so, and waits to be killed: `member.js <directory> <topic> <group>`. */
import { openLog } from '../../src/mod.js';

if (process.send !== undefined) {
  const [directory = '', topic = '', group = ''] = process.argv.slice(2);
  const log = await openLog({ directory, durability: 'written' });
  const member = await (await log.topic(topic)).group(group);
  member.on('assigned', () => process.send?.(member.assigned.length));
  process.send(member.assigned.length);
  // Nothing else keeps the process alive.
  setInterval(() => {}, 1 << 30);
}
