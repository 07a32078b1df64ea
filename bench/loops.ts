/** The work of the cells, the same loops for everybody. */
import type { Opened } from './subject.js';

export const RECORD_BYTES = 1024;
export const BATCH = 100;
export const TOGETHER = 64;

export const recordOf = (bytes: number): Uint8Array => Buffer.alloc(bytes, 'r');

export function batchOf(count: number, record: Uint8Array): Uint8Array[] {
  return Array.from({ length: count }, () => record);
}

type Loop = (opened: Opened, records: number) => Promise<number>;

/** Says that a subject has no such operation: a cell asks only those that have it. */
function lacking(what: string): never {
  throw new Error(`it has no way to ${what}`);
}

export function putSingly(record: Uint8Array): Loop {
  return async (opened, records) => {
    const put = opened.put ?? lacking('put a record');
    for (let n = 0; n < records; n++) {
      const later = put(record);
      if (later instanceof Promise) await later;
    }
    return records;
  };
}

export function putBy(size: number, record: Uint8Array): Loop {
  const batch = batchOf(size, record);
  return async (opened, records) => {
    const putMany = opened.putMany ?? lacking('put a batch');
    for (let n = 0; n < records; n += size) {
      const later = putMany(batch);
      if (later instanceof Promise) await later;
    }
    return Math.ceil(records / size) * size;
  };
}

export function putTogether(size: number, record: Uint8Array): Loop {
  const window = batchOf(size, record);
  return async (opened, records) => {
    const together = opened.putTogether ?? lacking('put records together');
    for (let n = 0; n < records; n += size) await together(window);
    return Math.ceil(records / size) * size;
  };
}

export function takeBy(size: number): Loop {
  return async (opened, records) => {
    if (opened.drain !== undefined) return opened.drain(size, records);
    let count = 0;
    for (;;) {
      const got =
        size === 1 || opened.takeMany === undefined ? await takeOne(opened) : await takeMany(opened, size);
      if (got === 0) return expected(count, records);
      count += got;
    }
  };
}

async function takeOne(opened: Opened): Promise<number> {
  const later = (opened.take ?? lacking('take a record'))();
  return (later instanceof Promise ? await later : later) === undefined ? 0 : 1;
}

async function takeMany(opened: Opened, size: number): Promise<number> {
  const later = (opened.takeMany ?? lacking('take records'))(size);
  return (later instanceof Promise ? await later : later).length;
}

export function claimBy(size: number): Loop {
  return async (opened, records) => {
    const claim = opened.claim ?? lacking('claim');
    const claimMany = opened.claimMany ?? lacking('claim');
    let count = 0;
    while (count < records) {
      const later = size === 1 ? claim() : claimMany(size);
      const got = later instanceof Promise ? await later : later;
      if (got === 0) break;
      count += got;
    }
    return expected(count, records);
  };
}

export const scan: Loop = async (opened, records) =>
  expected(await (opened.scan ?? lacking('read in order'))(), records);

/** Reads as many records as there are, anywhere. */
export const readAnywhere: Loop = async (opened, records) => {
  const read = opened.read ?? lacking('read by index');
  for (const index of anyOrder(records, records)) {
    const later = read(index);
    if ((later instanceof Promise ? await later : later) === undefined) throw new Error(`no record ${index}`);
  }
  return records;
};

/** Indexes from 1 to `records` in any order, the same each time. */
export function anyOrder(records: number, reads: number): number[] {
  const order: number[] = [];
  for (let n = 0, at = 1; n < reads; n++) {
    at = (at * 48271) % 2147483647;
    order.push((at % records) + 1);
  }
  return order;
}

function expected(count: number, records: number): number {
  if (count !== records) throw new Error(`${count} records of ${records}`);
  return count;
}
