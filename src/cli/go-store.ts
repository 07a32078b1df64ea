import { foreignFiles } from '../disk/bare-files.js';
import { type GoEntries, type GoEntry, goEntries } from './go-entries.js';
import { type GoPlace, goFileName, goPath } from './go-files.js';
import { overlapping, uncovered } from './go-ranges.js';
import { indexList } from './index-ranges.js';
import { counted } from './numbers.js';

/** A record that is not deleted, and where its bytes are. */
export interface GoRecord {
  readonly index: number;
  readonly file: string;
  readonly start: number;
  readonly finish: number;
}

/** What is in a store of the Go Durostore, as far as it can be told. */
export interface GoContents {
  /** In the order of their indexes; those of one index in that of their places. */
  readonly records: readonly GoRecord[];
  /** What is not as that program should have left it. */
  readonly findings: readonly GoFinding[];
}

export interface GoFinding {
  readonly file: string;
  readonly what: string;
}

/** An entry, and whether any other one of this place says that it was deleted. */
interface Noted extends GoRecord {
  deleted: boolean;
  times: number;
}

/** Reads the index files. Nothing is changed, and no lock is taken: nobody is to write there meanwhile. */
export function goContents(place: GoPlace): GoContents {
  const findings: GoFinding[] = [];
  const records: GoRecord[] = [];
  const seen = new Map<number, Noted>();
  const doubled = new Set<number>();
  for (const number of place.numbers) {
    for (const noted of segment(place, number, findings)) {
      if (noted.times > 1 || seen.has(noted.index)) doubled.add(noted.index);
      seen.set(noted.index, noted);
      if (!noted.deleted) records.push(noted);
    }
  }
  if (doubled.size > 0)
    findings.push({
      file: goFileName(place.filePrefix, place.numbers[0] ?? 1, 'idx'),
      what:
        `${indexList([...doubled])} have several entries in the index files: records at different places are taken, ` +
        'each once, but where an entry of the place says that it was deleted',
    });
  return { records: records.sort((one, other) => one.index - other.index), findings };
}

function segment(place: GoPlace, number: number, findings: GoFinding[]): Noted[] {
  const file = goFileName(place.filePrefix, number, 'dat');
  const indexFile = goFileName(place.filePrefix, number, 'idx');
  const index = bytesOf(goPath(place, indexFile));
  const size = sizeOf(goPath(place, file));
  if (index === undefined && size !== 0) findings.push({ file: indexFile, what: 'is missing' });
  if (size === undefined) findings.push({ file, what: 'is missing' });
  // Where there is no data file, records of no bytes are not there either.
  const read = goEntries(index ?? Buffer.alloc(0), size ?? -1);
  findings.push(...strange(read, indexFile, file));
  const noted = onceEach(read.entries, file);
  const unclear = overlapping(noted);
  const lost = [...unclear].filter(({ deleted }) => !deleted).map((one) => one.index);
  if (unclear.size > 0)
    findings.push({
      file: indexFile,
      what: `entries of ${indexList([...unclear].map((one) => one.index))} have the same bytes of ${file}${lost.length > 0 ? `; not imported: ${indexList(lost)}` : ''}`,
    });
  const holes = uncovered(noted, size ?? 0);
  if (holes.length > 0)
    findings.push({
      file,
      what:
        `has bytes that belong to no entry: ${holes.map(({ start, finish }) => `${start}-${finish - 1}`).join(', ')}. A record ` +
        'there has lost its entry to another one (a write after a restart takes the last index again), or never got one; not imported',
    });
  return noted.filter((one) => !unclear.has(one));
}

/** Entries of one place and index are one record's: deleting a record may have added one. */
function onceEach(entries: readonly GoEntry[], file: string): Noted[] {
  const found = new Map<string, Noted>();
  for (const { index, start, finish, deleted } of entries) {
    const key = `${index} ${start} ${finish}`;
    const before = found.get(key);
    if (before === undefined) found.set(key, { index, file, start, finish, deleted, times: 1 });
    else {
      before.times += 1;
      before.deleted ||= deleted;
    }
  }
  return [...found.values()].sort((one, other) => one.start - other.start);
}

function* strange(read: GoEntries, file: string, dataFile: string): Generator<GoFinding> {
  const { beyond, senseless, torn, unaligned } = read;
  if (torn > 0)
    yield { file, what: `ends with ${counted(torn, 'byte')} of an entry that is not whole; not imported` };
  if (unaligned !== undefined)
    yield {
      file,
      what: `has no entries that can be told apart from byte ${unaligned} on, as one was torn; not imported`,
    };
  if (senseless.length > 0)
    yield { file, what: `has bytes that are no entry, at ${indexList(senseless)}; not imported` };
  if (beyond.length > 0)
    yield { file, what: `points beyond the end of ${dataFile} for ${indexList(beyond)}; not imported` };
}

function bytesOf(path: string): Buffer | undefined {
  const file = foreignFiles.open(path);
  if (file === undefined) return undefined;
  try {
    const bytes = Buffer.alloc(file.size());
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0));
  } finally {
    file.close();
  }
}

function sizeOf(path: string): number | undefined {
  const file = foreignFiles.open(path);
  try {
    return file?.size();
  } finally {
    file?.close();
  }
}
