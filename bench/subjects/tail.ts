/** A file that one process appends to and another one follows by the operating system's notices. */
import { closeSync, openSync, readSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Opened, Place, Subject } from '../subject.js';

export function tail(bytes: number): Subject {
  return { name: 'raw', inProcess: true, open: (place) => openedTail(place, bytes) };
}

function openedTail({ directory }: Place, bytes: number): Opened {
  const path = join(directory, 'tail');
  const file = openSync(path, 'a+');
  let block = Buffer.alloc(0);
  let position = 0;
  return {
    put: (record) => {
      writeSync(file, record);
    },
    putMany(records) {
      if (block.length !== records.length * bytes) block = Buffer.alloc(records.length * bytes);
      for (const [at, record] of records.entries()) block.set(record, at * bytes);
      writeSync(file, block);
    },
    async follow(by, count, had, ready) {
      const into = Buffer.alloc(bytes * by);
      let left = count;
      await new Promise<void>((resolve) => {
        const read = (): void => {
          for (;;) {
            const length = readSync(file, into, 0, into.length, position);
            const whole = length - (length % bytes);
            for (let at = 0; at < whole; at += bytes, left--) had(into.subarray(at, at + bytes));
            position += whole;
            if (whole === 0) break;
          }
          if (left > 0) return;
          watcher.close();
          resolve();
        };
        const watcher = watch(path, read);
        ready();
        read();
      });
    },
    close: () => closeSync(file),
  };
}
