import { CorruptError } from '../errors.js';
import { FEATURE_STREAMS } from '../frame/file-header.js';
import { decodeFacts } from './fact-reader.js';
import { FactWriter } from './fact-writer.js';
import type { FactSink } from './facts.js';
import type { CarriedRanges } from './fates.js';

type Ranges = CarriedRanges['ranges'];

/** What a batch carries: facts that say of records that they are gone, as a journal has them. */
export function encodeCarried(ranges: Ranges): Buffer {
  const facts = new FactWriter(0);
  facts.begin();
  for (const { from, to } of ranges) facts.gone(from, to);
  return facts.bytes.subarray(0, facts.length);
}

/** The ranges that a batch says are gone. CORRUPT where it says anything else. */
export function decodeCarried(facts: Buffer, file: string): Ranges {
  const ranges: { from: number; to: number }[] = [];
  const refuse = (): never => {
    throw new CorruptError('a batch carries a fact that is not for it', {
      file,
      position: 0,
      bytes: facts.length,
    });
  };
  const sink: FactSink = {
    gone: (from, to) => {
      ranges.push({ from, to });
    },
    lost: refuse,
    slotTaken: refuse,
    freed: refuse,
    claimed: refuse,
    extended: refuse,
    released: refuse,
    attempted: refuse,
    died: refuse,
    putOff: refuse,
    requeued: refuse,
    progress: refuse,
    attemptedSince: refuse,
    carried: refuse,
    scheduled: refuse,
    unscheduled: refuse,
    ticking: refuse,
    ticked: refuse,
    unticked: refuse,
    consumer: refuse,
    consumed: refuse,
    consumerRemoved: refuse,
  };
  decodeFacts(facts, 0, facts.length, sink, file, FEATURE_STREAMS);
  return ranges;
}
