/** The platform's price: one call a record or a batch on one file, no framing, no copy, no lock. All targets refer to it. */
import { closeSync, fdatasyncSync, openSync, readSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Opened, Place, Subject } from '../subject.js';
import { joined } from './joined.js';

const writeLater = promisify(write);
const SCAN_BYTES = 1024 * 1024;

/** A file of records of `bytes` bytes each. */
export function rawFile(bytes: number): Subject {
  return { name: 'raw', inProcess: true, open: (place) => openedFile(place, bytes) };
}

function openedFile({ directory, durability }: Place, bytes: number): Opened {
  const file = openSync(join(directory, 'raw'), 'a+');
  closeSync(file);
  const data = openSync(join(directory, 'raw'), 'r+');
  const into = Buffer.alloc(SCAN_BYTES);
  const handed = new Map<number, Uint8Array[]>();
  let end = 0;
  let taken = 0;

  const append = (buffer: Uint8Array): void => {
    writeSync(data, buffer, 0, buffer.length, end);
    end += buffer.length;
    if (durability === 'synced') fdatasyncSync(data);
  };
  const records = (count: number): Uint8Array[] => {
    let views = handed.get(count);
    if (views === undefined) {
      views = Array.from({ length: count }, (_, at) => into.subarray(at * bytes, (at + 1) * bytes));
      handed.set(count, views);
    }
    return views;
  };
  const takeMany = (max: number): Uint8Array[] => {
    const got = readSync(data, into, 0, max * bytes, taken);
    taken += got;
    return records(got / bytes);
  };
  return {
    put: append,
    putMany: (batch) => append(joined(batch)),
    putTogether(batch) {
      const writes = batch.map((record, at) => writeLater(data, record, 0, bytes, end + at * bytes));
      end += batch.length * bytes;
      return Promise.all(writes);
    },
    scan() {
      let at = 0;
      for (;;) {
        const got = readSync(data, into, 0, SCAN_BYTES, at);
        at += got;
        if (got < SCAN_BYTES) return Math.floor(at / bytes);
      }
    },
    read(index) {
      readSync(data, into, 0, bytes, (index - 1) * bytes);
      return into;
    },
    take: () => takeMany(1)[0],
    takeMany,
    claim() {
      append(into.subarray(0, bytes));
      return takeMany(1).length;
    },
    claimMany(max) {
      append(into.subarray(0, max * bytes));
      return takeMany(max).length;
    },
    close: () => closeSync(data),
  };
}
