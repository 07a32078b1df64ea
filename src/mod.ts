export type { CareOptions } from './care/options.js';
export { repair } from './care/repair.js';
export type { Finding, Report } from './care/report.js';
export { verify } from './care/verify.js';
export { type Clock, systemClock } from './clock.js';
export { CodecError, CorruptError, DurostoreError, type ErrorCode, InvalidValueError } from './errors.js';
export type { Codec, CodecName } from './queue/codec.js';
export type {
  ClaimOptions,
  EnqueueOptions,
  Queue,
  QueueCapabilities,
  QueueStats,
} from './queue/contract.js';
export type { DeadLetter, DeadLetters } from './queue/dead-letters-contract.js';
export type { Delivery } from './queue/delivery.js';
export type { QueueEvents } from './queue/events.js';
export type { Backoff, QueueOptions } from './queue/options.js';
export { openQueue } from './queue/queue.js';
export type { ScheduleInfo, ScheduleOptions, When } from './queue/schedule-contract.js';
export type { SchemaIssue, SchemaResult, StandardSchemaV1 } from './queue/standard-schema.js';
export type { Worker, WorkerOptions, WorkerStats } from './queue/worker-contract.js';
export {
  type CompressionAlgorithm,
  type CompressOptions,
  compress,
} from './store/compress.js';
export type { Consumer, ConsumerInfo, ConsumerOptions } from './store/consumer-contract.js';
export type { Store, StoreTransaction } from './store/contract.js';
export { type EncryptionKey, encrypt } from './store/encrypt.js';
export type { Entry, EntryRange } from './store/entries.js';
export type { Durability, StoreOptions } from './store/options.js';
export type { StoreStats } from './store/stats.js';
export { openStore } from './store/store.js';
export type { Transform } from './store/transforms.js';
export type { WaitOptions } from './store/wait-options.js';
export type { WriteOptions } from './store/write-options.js';
export type {
  AppendOptions,
  GroupMember,
  Log,
  LogOptions,
  Topic,
  TopicOptions,
} from './stream/contract.js';
export { openLog } from './stream/log.js';
