export { type Clock, systemClock } from './clock.js';
export { CodecError, CorruptError, DurostoreError, type ErrorCode } from './errors.js';
export type { Codec, CodecName } from './queue/codec.js';
export type { Delivery } from './queue/delivery.js';
export type { QueueEvents } from './queue/events.js';
export type { QueueOptions } from './queue/options.js';
export {
  type ClaimOptions,
  type EnqueueOptions,
  openQueue,
  type Queue,
  type QueueCapabilities,
  type QueueStats,
  type WaitOptions,
} from './queue/queue.js';
export type { Entry, EntryRange } from './store/entries.js';
export type { Durability, StoreOptions } from './store/options.js';
export type { StoreStats } from './store/stats.js';
export { openStore, type Store } from './store/store.js';
export type { WriteOptions } from './store/write-options.js';
