/** Tries to lock the file of its first argument and stays; with a second argument tries on and on, never keeping it. */
import { osDisk } from '../../src/disk/os.js';

const [path = '', relentlessly] = process.argv.slice(2);
const file = osDisk.open(path, 'write');
process.send?.({ locked: file?.tryLock('exclusive') });
const stay = setInterval(() => {
  if (relentlessly === undefined) return;
  for (let round = 0; round < 1000; round++) if (file?.tryLock('exclusive')) file.unlock();
}, 1);
process.on('disconnect', () => clearInterval(stay));
