/** Has threads do something and comes to the end of its program without closing them. */
import { threadHandler } from '../../src/threads/mod.js';

process.disconnect?.();
const handler = threadHandler<{ do: string }>(new URL('./work.js', import.meta.url), { threads: 2 });
const nothing = async (): Promise<void> => {};
const delivery = {
  value: { do: 'nothing' },
  index: 1,
  attempt: 1,
  enqueuedAt: new Date(),
  headers: {},
  signal: new AbortController().signal,
  ack: nothing,
  nack: nothing,
  extend: nothing,
  reject: nothing,
  progress: nothing,
};
await Promise.all([handler(delivery), handler(delivery), handler(delivery)]);
console.log('done');
