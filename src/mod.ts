export type { CareOptions } from './care/options.js';
export { repair } from './care/repair.js';
export type { Finding, Report } from './care/report.js';
export { verify } from './care/verify.js';
export { type Clock, systemClock } from './clock.js';
export { CodecError, CorruptError, DurostoreError, type ErrorCode } from './errors.js';
export type { Codec, CodecName } from './queue/codec.js';
export type {
  ClaimOptions,
  EnqueueOptions,
  Queue,
  QueueCapabilities,
  QueueStats,
  WaitOptions,
} from './queue/contract.js';
export type { Delivery } from './queue/delivery.js';
export type { QueueEvents } from './queue/events.js';
export type { QueueOptions } from './queue/options.js';
export { openQueue } from './queue/queue.js';
export type { Store } from './store/contract.js';
export type { Entry, EntryRange } from './store/entries.js';
export type { Durability, StoreOptions } from './store/options.js';
export type { StoreStats } from './store/stats.js';
export { openStore } from './store/store.js';
export type { WriteOptions } from './store/write-options.js';
