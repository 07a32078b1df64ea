import type { Test } from 'tap';
import { ManualClock, openQueue, openStore, removeDirectory } from '../../src/memory/mod.js';
import * as files from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { ConformanceEngine } from './engine.js';

const clock = (): ManualClock => new ManualClock();

const onFiles = (locking: 'os' | 'lockfile', skips: ReadonlyMap<string, string>): ConformanceEngine => ({
  name: `files-${locking}`,
  openQueue: files.openQueue,
  openStore: files.openStore,
  fresh: async (t) => ({ directory: await temporaryDirectory(t), locking }),
  clock,
  skips,
});

export const filesOs = onFiles('os', new Map());

export const filesLockfile = onFiles('lockfile', new Map());

let count = 0;

export const memory: ConformanceEngine = {
  name: 'memory',
  openQueue,
  openStore,
  async fresh(t: Test) {
    count += 1;
    const directory = `/conformance-${count}`;
    t.teardown(() => removeDirectory(directory));
    return { directory };
  },
  clock,
  skips: new Map(),
};
