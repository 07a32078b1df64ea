export type { ThreadContext, ThreadFunction, ThreadMessage } from './thread-function.js';
export { type ThreadHandler, type ThreadHandlerOptions, threadHandler } from './thread-handler.js';
