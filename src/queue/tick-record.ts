import { encodeMark, Mark } from '../frame/marks.js';
import type { Schedule } from '../journal/schedule-facts.js';
import type { NewRecord } from '../store/intake.js';
import { tickMark } from '../store/tick-resolution.js';
import { transformsMark } from '../store/transforms.js';
import { codecMark } from './codec.js';
import { marksOf } from './message-marks.js';

/** The message that a tick is: as if whoever made the schedule had enqueued it at `now`. */
export function tickRecord(schedule: Omit<Schedule, 'createdAt'>, time: number, now: number): NewRecord {
  const { name, codec, transforms, value, headers, delayMs, priority, front, key } = schedule;
  const marked = delayMs > 0 || priority > 0 || front || key !== undefined;
  const order = { delayMs, priority, front, key, id: undefined };
  const marks = [
    codecMark({ name: codec }) ?? NONE,
    marked ? marksOf(order, now, 0, 1) : NONE,
    encodeMark(Mark.tick, tickMark(name, time)),
    transforms === undefined ? NONE : transformsMark(transforms),
  ];
  return {
    payload: value,
    headers,
    marks: Buffer.concat(marks),
    marked,
    transformed: transforms !== undefined,
  };
}

const NONE = Buffer.alloc(0);
