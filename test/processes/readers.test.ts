/** Many readers of one store, in several processes. */
import t from 'tap';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { elevenReaders, readersUnderRetention } from './readers.js';

const RECORDS = 100_000;

for (const locking of ['os', 'lockfile'] as const) {
  t.test(`${locking}: eleven readers in four processes: each sees all, once, in order`, async (t) => {
    const directory = await temporaryDirectory(t);
    const options = { durability: 'written', locking, maxFileSize: 1024 * 1024 } as const;
    const { readings, consumers, writtenMs, readMs } = await elevenReaders(t, directory, RECORDS, options);
    t.equal(readings.length, 11);
    for (const { isRight, ...reading } of readings) t.ok(isRight, `${reading.what}`, reading);
    t.same(consumers, Array(4).fill([RECORDS, 0, 0]), 'what consumers have committed');
    t.comment(
      `${RECORDS} records: written in ${writtenMs.toFixed(0)} ms, all read after ${readMs.toFixed(0)} ms`,
    );
  });
}

for (const locking of ['os', 'lockfile'] as const) {
  t.test(`${locking}: eight readers while retention takes away what they have not read`, async (t) => {
    const directory = await temporaryDirectory(t);
    const options = { durability: 'written', locking, maxFileSize: 32 * 1024, maxBytes: 128 * 1024 } as const;
    const { readings, mostKept, mostOnDisk, oldest } = await readersUnderRetention(
      t,
      directory,
      8000,
      options,
    );
    t.equal(readings.length, 8);
    for (const { isRight, ...reading } of readings)
      t.ok(isRight, 'sees or misses each, once, in order', reading);
    t.ok(
      readings.some(({ missed }) => missed > 0),
      'some were too slow',
    );
    t.ok(mostKept <= options.maxBytes, `at most ${mostKept} bytes were kept`);
    t.ok(oldest > 6000, 'and most are gone');
    t.comment(
      `at most ${mostOnDisk} bytes on the disk; missed ${readings.map(({ missed }) => missed).join(', ')}`,
    );
  });
}
