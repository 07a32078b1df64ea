import type { Test } from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { CompactionLimits } from '../../src/store/compactor.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions, type StoreOptions } from '../../src/store/options.js';

/** An engine beside the openers of a memory world, for what no call of a store can bring about. Closed with the test. */
export async function openEngine(
  t: Test,
  machine: MemoryDisk,
  options: Partial<StoreOptions> = {},
  compaction?: CompactionLimits,
): Promise<Engine> {
  const opener = machine.opener();
  const resolved = resolveStoreOptions({ directory: '/store', indexer: false, ...options }, new Set());
  const engine = await Engine.open(opener, resolved, undefined, compaction);
  t.teardown(() => opener.dead || engine.close());
  return engine;
}
