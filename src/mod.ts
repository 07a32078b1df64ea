export { type Clock, systemClock } from './clock.js';
export { CodecError, CorruptError, DurostoreError, type ErrorCode } from './errors.js';
export type { Entry, EntryRange } from './store/entries.js';
export type { Durability, StoreOptions } from './store/options.js';
export type { StoreStats } from './store/stats.js';
export { openStore, type Store, type WriteOptions } from './store/store.js';
