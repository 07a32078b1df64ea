/** The system calls that the library makes, without the library: a frame and an entry written, a fact for what is taken. */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Opened, Place, Subject } from '../subject.js';

/** What the library writes around a record: its head, and an entry. */
export const HEAD_BYTES = 36;
export const ENTRY_BYTES = 32;
/** A decision about one message, or about a range. */
const FACT_BYTES = 52;
const SCAN_RECORDS = 100;
/** Under `synced` the file is prepared with zeros, so that a sync need not journal a new size. */
const PREPARED_BYTES = 64 * 1024 * 1024;

/** What was read last; kept so that no copy is optimised away. */
export let given: Uint8Array = new Uint8Array();

/** Frames of records of `bytes` bytes each. */
export function bareFiles(bytes: number): Subject {
  return { name: 'same calls', inProcess: true, open: (place) => openedFiles(place, bytes + HEAD_BYTES) };
}

function openedFiles({ directory, durability }: Place, frame: number): Opened {
  const open = (name: string): number => {
    closeSync(openSync(join(directory, name), 'a'));
    return openSync(join(directory, name), 'r+');
  };
  const data = open('dat');
  const entries = open('idx');
  const journal = open('fate');
  const slots = Buffer.alloc(ENTRY_BYTES * SCAN_RECORDS, 7);
  const frames = Buffer.alloc(frame * SCAN_RECORDS, 7);
  const into = Buffer.alloc(frame * SCAN_RECORDS);
  const fact = Buffer.alloc(FACT_BYTES, 7);
  let end = 0;
  let entry = 0;
  let taken = 0;
  let facts = 0;
  if (durability === 'synced') prepare(data);

  const append = (count: number): void => {
    writeSync(data, frames, 0, count * frame, end);
    end += count * frame;
    if (durability === 'synced') fdatasyncSync(data);
    writeSync(entries, slots, 0, count * ENTRY_BYTES, entry);
    entry += count * ENTRY_BYTES;
  };
  const handOut = (count: number): Uint8Array[] => {
    const copies: Uint8Array[] = [];
    for (let at = 0; at < count; at++) {
      given = Buffer.from(into.subarray(at * frame, (at + 1) * frame));
      copies.push(given);
    }
    return copies;
  };
  const decide = (): void => {
    writeSync(journal, fact, 0, FACT_BYTES, facts);
    facts += FACT_BYTES;
  };
  const takeMany = (max: number, decisions: number): Uint8Array[] => {
    const count = readSync(data, into, 0, max * frame, taken) / frame;
    taken += count * frame;
    if (count > 0) for (let at = 0; at < decisions; at++) decide();
    return handOut(count);
  };
  return {
    put: () => append(1),
    putMany: (records) => append(records.length),
    scan() {
      let count = 0;
      for (;;) {
        const got = readSync(data, into, 0, into.length, count * frame) / frame;
        handOut(got);
        count += got;
        if (got < SCAN_RECORDS) return count;
      }
    },
    read(index) {
      given = Buffer.allocUnsafe(frame);
      readSync(data, given, 0, frame, (index - 1) * frame);
      return given;
    },
    take: () => takeMany(1, 1)[0],
    takeMany: (max) => takeMany(max, 1),
    claim: () => takeMany(1, 2).length,
    claimMany: (max) => takeMany(max, 2).length,
    close() {
      for (const file of [data, entries, journal]) closeSync(file);
    },
  };
}

function prepare(file: number): void {
  const zeros = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < PREPARED_BYTES; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at);
  fdatasyncSync(file);
}
