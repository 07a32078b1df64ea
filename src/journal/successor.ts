import type { DiskFile } from '../disk/disk.js';
import { writeFully } from '../disk/write-fully.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  placeOf,
  writeBodyFields,
} from '../frame/frame.js';
import { FactWriter } from './fact-writer.js';
import type { Death, Lease } from './facts.js';
import type { Fates } from './fates.js';
import type { Schedule } from './schedule-facts.js';

/** State is told in frames of about this size. */
const STATE_FRAME_BYTES = 64 * 1024;

/**
 * Writes a journal that begins with the state as of `fact`: header, "unfinished, from `predecessor`", the state,
 * "complete". It is worth nothing until the predecessor names it. Returns its length.
 */
export function writeSuccessor(
  file: Pick<DiskFile, 'write'>,
  header: Buffer,
  salt: number,
  predecessor: number,
  fates: Fates,
  fact: number,
  time: number,
): number {
  let end = 0;
  const put = (bytes: Buffer, length: number): void => {
    writeFully(file, bytes, length, end);
    end += length;
  };
  put(header, header.length);
  put(bareFrame(FrameKind.unfinished, placeOf(salt, end), predecessor, time, fact), HEAD_BYTES);
  const writer = new StateWriter((bytes, length) => {
    writeBodyFields(bytes, 0, length, FrameKind.state, FLAG_ENDS_BATCH, 0, 0);
    completeHead(bytes, 0, placeOf(salt, end), fact, time, fact);
    put(bytes, length);
  });
  fates.tell(writer);
  writer.flush();
  put(bareFrame(FrameKind.complete, placeOf(salt, end), fact, time, fact), HEAD_BYTES);
  return end;
}

/** A frame that says everything in its head. */
export function bareFrame(kind: number, place: number, number: number, time: number, safe: number): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES);
  writeBodyFields(frame, 0, HEAD_BYTES, kind, FLAG_ENDS_BATCH, 0, 0);
  completeHead(frame, 0, place, number, time, safe);
  return frame;
}

/** Cuts a state into frames: gives its bytes away whenever they have become a frame's worth. */
class StateWriter extends FactWriter {
  readonly #give: (bytes: Buffer, length: number) => void;

  constructor(give: (bytes: Buffer, length: number) => void) {
    super(HEAD_BYTES);
    this.#give = give;
    this.begin();
  }

  override gone(from: number, to: number): void {
    super.gone(from, to);
    this.#giveIfLong();
  }

  override claimed(from: number, to: number, incarnation: number, attempt: number, lease: Lease): void {
    super.claimed(from, to, incarnation, attempt, lease);
    this.#giveIfLong();
  }

  override attempted(index: number, attempts: number): void {
    super.attempted(index, attempts);
    this.#giveIfLong();
  }

  override died(index: number, death: Death): void {
    super.died(index, death);
    this.#giveIfLong();
  }

  override progress(index: number, value: Uint8Array): void {
    super.progress(index, value);
    this.#giveIfLong();
  }

  override attemptedSince(index: number, attempts: number, firstFailedAt: number, due: number): void {
    super.attemptedSince(index, attempts, firstFailedAt, due);
    this.#giveIfLong();
  }

  override scheduled(schedule: Schedule): void {
    super.scheduled(schedule);
    this.#giveIfLong();
  }

  override consumer(name: string, since: number, position: number): void {
    super.consumer(name, since, position);
    this.#giveIfLong();
  }

  flush(): void {
    if (this.frameIsEmpty) return;
    this.#give(this.bytes, this.length);
    this.clear();
    this.begin();
  }

  #giveIfLong(): void {
    if (this.length >= STATE_FRAME_BYTES) this.flush();
  }
}
