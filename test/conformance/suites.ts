import { cancelling } from './cancelling.js';
import { claiming } from './claiming.js';
import { closing } from './closing.js';
import { consumers } from './consumers.js';
import { consuming } from './consuming.js';
import { deadLetters } from './dead-letters.js';
import { durability } from './durability.js';
import { enqueueing } from './enqueueing.js';
import { errors } from './errors.js';
import { events } from './events.js';
import { ids } from './ids.js';
import { keys } from './keys.js';
import { looking } from './looking.js';
import { opening } from './opening.js';
import { order } from './order.js';
import { progress } from './progress.js';
import { reading } from './reading.js';
import { removing } from './removing.js';
import { room } from './room.js';
import { schedules } from './schedules.js';
import type { Suite } from './suite.js';
import { workers } from './workers.js';
import { writing } from './writing.js';

/** The contract, part by part. */
export const suites: readonly Suite[] = [
  opening,
  writing,
  reading,
  consumers,
  removing,
  room,
  durability,
  enqueueing,
  consuming,
  claiming,
  order,
  ids,
  keys,
  deadLetters,
  cancelling,
  progress,
  workers,
  schedules,
  looking,
  events,
  closing,
  errors,
];
