/** The same bytes through bare files: what the platform costs, without a library. */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant, Ready } from './measure.js';

export const RECORD_BYTES = 1024;
/** What the library writes for a record: its head, and an entry. */
export const FRAME_BYTES = RECORD_BYTES + 36;
export const ENTRY_BYTES = 32;
/** A decision about one message, or about a range. */
export const FACT_BYTES = 52;

const READ_STEP = 1024 * 1024;

class Files implements Ready {
  readonly #descriptors: number[] = [];
  readonly #work: () => number;

  constructor(work: (open: (name: string) => number) => () => number, directory: string) {
    this.#work = work((name) => {
      const descriptor = openSync(join(directory, name), 'w+');
      this.#descriptors.push(descriptor);
      return descriptor;
    });
  }

  run(): number {
    return this.#work();
  }

  close(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
  }
}

/** `work` opens files and returns what is timed. */
function bare(name: string, work: (open: (file: string) => number) => () => number): Contestant {
  return { name, prepare: (directory) => new Files(work, directory) };
}

/** Appends records and entries, `batch` of them with one call each. */
export function bareAppend(records: number, batch: number, frame = FRAME_BYTES): Contestant {
  return bare(batch === 1 ? 'two writes' : `two writes by ${batch}`, (open) => {
    const data = open('dat');
    const entries = open('idx');
    const frames = Buffer.alloc(frame * batch, 7);
    const slots = Buffer.alloc(ENTRY_BYTES * batch, 7);
    return () => {
      let at = 0;
      let entry = 0;
      for (let record = 0; record < records; record += batch) {
        writeSync(data, frames, 0, frames.length, at);
        writeSync(entries, slots, 0, slots.length, entry);
        at += frames.length;
        entry += slots.length;
      }
      return records;
    };
  });
}

/** Reads `batch` records with one call, gives each in bytes of its own, and appends `facts` small facts about them. */
export function bareTake(records: number, batch: number, facts: number): Contestant {
  const name = `${batch === 1 ? 'a read' : `a read by ${batch}`}, ${facts === 1 ? 'a write' : `${facts} writes`}`;
  return bare(name, (open) => {
    const data = open('dat');
    const journal = open('fate');
    fill(data, records * FRAME_BYTES);
    const frames = Buffer.alloc(FRAME_BYTES * batch);
    const fact = Buffer.alloc(FACT_BYTES, 7);
    return () => {
      let at = 0;
      let end = 0;
      for (let record = 0; record < records; record += batch) {
        readSync(data, frames, 0, frames.length, at);
        giveOut(frames, batch);
        at += frames.length;
        for (let n = 0; n < facts; n++) {
          writeSync(journal, fact, 0, fact.length, end);
          end += fact.length;
        }
      }
      return records;
    };
  });
}

/** Appends everything, then takes everything. */
export function bareThrough(records: number, batch: number): Contestant {
  return bare(batch === 1 ? 'two writes; a read, a write' : `the same by ${batch}`, (open) => {
    const data = open('dat');
    const entries = open('idx');
    const journal = open('fate');
    const frames = Buffer.alloc(FRAME_BYTES * batch, 7);
    const slots = Buffer.alloc(ENTRY_BYTES * batch, 7);
    const fact = Buffer.alloc(FACT_BYTES, 7);
    return () => {
      for (let turn = 0; turn < records / batch; turn++) {
        writeSync(data, frames, 0, frames.length, turn * frames.length);
        writeSync(entries, slots, 0, slots.length, turn * slots.length);
      }
      for (let turn = 0; turn < records / batch; turn++) {
        readSync(data, frames, 0, frames.length, turn * frames.length);
        giveOut(frames, batch);
        writeSync(journal, fact, 0, fact.length, turn * fact.length);
      }
      return records;
    };
  });
}

/** Appends and waits for the device, `batch` records at a time: to a file that grows, or over zeros. */
export function bareSynced(records: number, batch: number, how: 'growing' | 'prepared'): Contestant {
  return bare(`write + fdatasync, ${how}`, (open) => {
    const data = open('dat');
    if (how === 'prepared') {
      fill(data, records * FRAME_BYTES);
      fdatasyncSync(data);
    }
    const frames = Buffer.alloc(FRAME_BYTES * batch, 7);
    return () => {
      for (let turn = 0; turn < records / batch; turn++) {
        writeSync(data, frames, 0, frames.length, turn * frames.length);
        fdatasyncSync(data);
      }
      return records;
    };
  });
}

/** Reads all in order, a hundred records with one call, and gives each in bytes of its own. */
export function bareScan(records: number): Contestant {
  return bare('a read by 100', (open) => {
    const data = open('dat');
    fill(data, records * FRAME_BYTES);
    const frames = Buffer.alloc(100 * FRAME_BYTES);
    return () => {
      for (let turn = 0; turn < records / 100; turn++) {
        readSync(data, frames, 0, frames.length, turn * frames.length);
        giveOut(frames, 100);
      }
      return records;
    };
  });
}

/** Reads single records anywhere. */
export function bareRandom(records: number, order: readonly number[]): Contestant {
  return bare('a read', (open) => {
    const data = open('dat');
    fill(data, records * FRAME_BYTES);
    return () => {
      for (const index of order) {
        given = Buffer.allocUnsafe(FRAME_BYTES);
        readSync(data, given, 0, FRAME_BYTES, (index - 1) * FRAME_BYTES);
      }
      return order.length;
    };
  });
}

/** What the reader got last; kept so that no copy is optimised away. */
export let given: Uint8Array = new Uint8Array();

function giveOut(frames: Buffer, count: number): void {
  for (let n = 0; n < count; n++)
    given = Buffer.from(frames.subarray(n * FRAME_BYTES, (n + 1) * FRAME_BYTES));
}

function fill(descriptor: number, bytes: number): void {
  const block = Buffer.alloc(READ_STEP, 7);
  for (let at = 0; at < bytes; at += block.length) {
    writeSync(descriptor, block, 0, Math.min(block.length, bytes - at), at);
  }
}
