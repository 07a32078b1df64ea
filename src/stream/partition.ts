import type { Disk } from '../disk/disk.js';
import type { Store } from '../store/contract.js';
import { Engine } from '../store/engine.js';
import type { ResolvedStoreOptions } from '../store/options.js';
import { EngineStore } from '../store/store.js';

/** A partition that is open: a store, and the engine beneath it. */
export interface Partition {
  readonly number: number;
  readonly engine: Engine;
  readonly store: Store;
}

/** Opens one. Its store is everybody's here, so closing that syncs, and lets it stay open until the topic is closed. */
export async function openPartition(
  disk: Disk,
  options: ResolvedStoreOptions,
  number: number,
): Promise<Partition> {
  const engine = await Engine.open(disk, options);
  const sync = async (): Promise<void> => {
    await engine.syncer.upTo(engine.tail.nextIndex - 1);
    await engine.syncFacts();
  };
  return { number, engine, store: new EngineStore(engine, async () => (engine.isOpen ? sync() : undefined)) };
}
