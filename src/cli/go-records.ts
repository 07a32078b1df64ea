import { foreignFiles } from '../disk/bare-files.js';
import { DurostoreError } from '../mod.js';
import { type GoPlace, goPath } from './go-files.js';
import type { GoRecord } from './go-store.js';
import { type ImportCodec, type Incoming, incoming } from './importing.js';

const TOGETHER = 1000;
const BYTES_TOGETHER = 1024 * 1024;

/** The records' bytes, in their order. */
export async function* goRecords(
  place: GoPlace,
  records: readonly GoRecord[],
  codec: ImportCodec,
): AsyncGenerator<Incoming[], undefined> {
  let some: Incoming[] = [];
  let bytes = 0;
  for (const [file, record] of openedFor(place, records)) {
    const { index, start, finish } = record;
    const data = Buffer.alloc(finish - start);
    if (file.read(data, 0, data.length, start) < data.length) throw changed(record);
    try {
      some.push(incoming({ data, headers: {} }, codec, `record ${index} of the Go Durostore`));
    } catch (error) {
      yield some;
      throw error;
    }
    bytes += data.length;
    if (some.length < TOGETHER && bytes < BYTES_TOGETHER) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}

type Opened = NonNullable<ReturnType<typeof foreignFiles.open>>;

/** Each record with its data file, which is open until the next one is asked for. */
function* openedFor(place: GoPlace, records: readonly GoRecord[]): Generator<[Opened, GoRecord]> {
  let opened: { name: string; file: Opened } | undefined;
  try {
    for (const record of records) {
      if (opened?.name !== record.file) {
        opened?.file.close();
        const file = foreignFiles.open(goPath(place, record.file));
        opened = undefined;
        if (file === undefined) throw changed(record);
        opened = { name: record.file, file };
      }
      yield [opened.file, record];
    }
  } finally {
    opened?.file.close();
  }
}

const changed = ({ index, file }: GoRecord): DurostoreError =>
  new DurostoreError(
    'CORRUPT',
    `${file} was changed while record ${index} was to be read from it. End what works there, and import again into a new directory`,
  );
