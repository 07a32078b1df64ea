/** Watches the directory of its argument, says what that took, and has nothing else to stay for. */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { osDisk } from '../../src/disk/os.js';

const [directory = '', starve] = process.argv.slice(2);

function inotifyWatches(): number {
  const info = readdirSync('/proc/self/fdinfo').map((fd) => {
    try {
      return readFileSync(join('/proc/self/fdinfo', fd), 'utf8');
    } catch {
      return '';
    }
  });
  return info.join('').split('inotify wd:').length - 1;
}

const held: number[] = [];
if (starve !== undefined) {
  // Chokidar is loaded and then no descriptor is left for the watch.
  await import('chokidar');
  try {
    for (;;) held.push(openSync(directory, 'r'));
  } catch {}
}
// Referenced only until the watch has begun or failed: the watch itself must not keep this program running.
const deadline = setTimeout(() => console.log('heard nothing'), 10_000);
osDisk.watch(
  directory,
  () => {
    clearTimeout(deadline);
    console.log(`inotify ${inotifyWatches()}`);
  },
  (error) => {
    clearTimeout(deadline);
    for (const fd of held) closeSync(fd);
    console.log(`failed ${error instanceof Error && 'code' in error ? error.code : error}`);
  },
);
