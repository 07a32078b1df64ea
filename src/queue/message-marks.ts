import { encodeOrderMarks, type OrderMarks } from '../frame/order-marks.js';
import { invalid, trueOrFalse, wholeNumber } from '../store/options.js';
import type { EnqueueOptions } from './contract.js';
import { HIGHEST_PRIORITY } from './line.js';
import { LONGEST_DELAY_MS } from './options.js';

/** Keys and ids have to fit beside the other marks, and are kept in memory. */
const LONGEST_NAME_BYTES = 1000;

/** What is asked of a message's place in line, by itself or as one of a batch. */
export interface MessageOrder {
  readonly delayMs: number;
  readonly priority: number;
  readonly front: boolean;
  readonly key: string | undefined;
  readonly id: string | undefined;
}

/** Checks the options that mark a message; undefined where none does. INVALID_OPTION. */
export function resolveOrder(options: EnqueueOptions | undefined): MessageOrder | undefined {
  if (options === undefined) return undefined;
  const order = {
    delayMs: wholeNumber('delayMs', options.delayMs, 0, 0, LONGEST_DELAY_MS),
    priority: wholeNumber('priority', options.priority, 0, 0, HIGHEST_PRIORITY),
    front: trueOrFalse('front', options.front, false),
    key: nameOption('key', options.key),
    id: nameOption('id', options.id),
  };
  const isPlain = order.delayMs === 0 && order.priority === 0 && !order.front;
  return isPlain && order.key === undefined && order.id === undefined ? undefined : order;
}

/** The marks of the message that stands `at` in a batch of `count`, enqueued at `now`. Of a batch the first carries the id. */
export function marksOf(order: MessageOrder, now: number, at: number, count: number): Buffer {
  const marks: OrderMarks = {
    due: order.delayMs === 0 ? 0 : Math.ceil(now + order.delayMs),
    priority: order.priority,
    front: order.front ? at : undefined,
    key: order.key,
    id: at === 0 ? order.id : undefined,
    count: at === 0 && order.id !== undefined ? count : 1,
  };
  return encodeOrderMarks(marks);
}

function nameOption(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
  if (bytes === 0 || bytes > LONGEST_NAME_BYTES)
    throw invalid(option, `a string of 1 to ${LONGEST_NAME_BYTES} bytes of UTF-8`, value);
  return value as string;
}
