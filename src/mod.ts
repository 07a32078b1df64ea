export { type Clock, systemClock } from './clock.js';
export { CodecError, CorruptError, DurostoreError, type ErrorCode } from './errors.js';
