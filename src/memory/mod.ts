/** `durostore/memory`: the same queues and stores without a disk, and a clock to move, for the tests of whoever uses them. */
export { ManualClock } from './manual-clock.js';
export {
  type MemoryLogOptions,
  type MemoryQueueOptions,
  type MemoryStoreOptions,
  openLog,
  openQueue,
  openStore,
  removeDirectory,
} from './open.js';
