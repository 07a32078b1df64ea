import { claiming } from './claiming.js';
import { closing } from './closing.js';
import { consuming } from './consuming.js';
import { durability } from './durability.js';
import { enqueueing } from './enqueueing.js';
import { errors } from './errors.js';
import { events } from './events.js';
import { looking } from './looking.js';
import { opening } from './opening.js';
import { reading } from './reading.js';
import { removing } from './removing.js';
import { room } from './room.js';
import type { Suite } from './suite.js';
import { writing } from './writing.js';

/** The contract, part by part. */
export const suites: readonly Suite[] = [
  opening,
  writing,
  reading,
  removing,
  room,
  durability,
  enqueueing,
  consuming,
  claiming,
  looking,
  events,
  closing,
  errors,
];
