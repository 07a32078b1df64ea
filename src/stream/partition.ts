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

/** Opens one. `closing` is called as soon as somebody begins to close it. */
export async function openPartition(
  disk: Disk,
  options: ResolvedStoreOptions,
  number: number,
  closing: () => void,
): Promise<Partition> {
  const engine = await Engine.open(disk, options);
  const close = (): Promise<void> => {
    closing();
    return engine.close();
  };
  return { number, engine, store: new EngineStore(engine, close) };
}
