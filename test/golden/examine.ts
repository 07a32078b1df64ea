import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import {
  CodecError,
  type ConsumerInfo,
  CorruptError,
  DurostoreError,
  type Finding,
  openQueue,
  openStore,
  type Store,
  verify,
} from '../../src/mod.js';
import { checkDirectory } from '../support/consistency.js';
import type { Files } from './dump.js';

/** What `expected.json` says of a directory: what a program sees that opens it, and what `verify` reports. */
export interface Examined {
  readonly verify: Refused | Verified;
  readonly open: Refused | Opened;
}

export interface Refused {
  readonly code: string;
}

export interface Verified {
  readonly ok: boolean;
  readonly records: number;
  readonly bytes: number;
  /** Without directories. */
  readonly findings: readonly Finding[];
}

export interface Opened {
  /** In order; `data` is text, or hexadecimal where it is none. */
  readonly records: readonly (SeenRecord | { readonly index: number; readonly code: string })[];
  readonly length: number;
  readonly firstIndex: number;
  readonly nextIndex: number;
  readonly lost: number;
  readonly cuts: number;
  /** Names of what recovery set aside. */
  readonly setAside: readonly string[];
  readonly waiting: number;
  readonly claimed: number;
  /** What a claim gets, and for the how many-th time. */
  readonly claim: { readonly index: number; readonly attempt: number } | { readonly code: string } | null;
  /** The index of a record that is written now. */
  readonly written: number;
  /** Left out where there are none. */
  readonly consumers?: readonly ConsumerInfo[];
}

interface SeenRecord {
  readonly index: number;
  readonly time: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string;
}

/** The files of a directory, and of directories in it. */
export async function filesIn(directory: string): Promise<Files> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(relative(directory, path), await readFile(path));
  }
  return files;
}

export async function putFiles(directory: string, files: Files): Promise<void> {
  for (const [name, bytes] of files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}

/** Verifies the store in a directory, then opens it, reads it, and goes on in it. */
export async function examine(directory: string): Promise<Examined> {
  const verified = await refusable(() => look(directory));
  return { verify: verified, open: await refusable(() => goOn(directory)) };
}

async function refusable<T>(run: () => Promise<T>): Promise<T | Refused> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DurostoreError) return { code: error.code };
    throw error;
  }
}

async function look(directory: string): Promise<Verified> {
  const { findings, ...report } = await verify({ directory });
  const told = findings.map((finding) => ({ ...finding, file: relative(directory, finding.file) }));
  return { ...report, findings: JSON.parse(JSON.stringify(told)) as Finding[] };
}

async function goOn(directory: string): Promise<Opened> {
  const store = await openStore({ directory, durability: 'written' });
  const records = await read(store);
  const { length, firstIndex, nextIndex, lost, cuts } = await store.stats();
  await store.close();
  const setAside = (await readdir(directory)).filter((name) => name.includes('.cut.')).sort();
  // What was enqueued here was encoded as JSON; what was written is bytes.
  const codec = records.every((record) => 'data' in record && isJson(record.data)) ? 'json' : 'bytes';
  const queue = await openQueue({ directory, durability: 'written', codec });
  const { waiting, claimed } = await queue.stats();
  const claim = await refusable(async () => {
    const delivery = await queue.claim();
    if (delivery === undefined) return null;
    const { index, attempt } = delivery;
    await delivery.ack();
    return { index, attempt };
  });
  const written = await queue.store.write(Buffer.from('next'));
  const again = Buffer.from((await queue.store.read(written)) ?? []).toString();
  if (again !== 'next') throw new Error(`${again} was written`);
  const consumers = await queue.store.consumers();
  await queue.close();
  return {
    records,
    length,
    firstIndex,
    nextIndex,
    lost,
    cuts,
    setAside,
    waiting,
    claimed,
    claim,
    written,
    ...(consumers.length === 0 ? {} : { consumers }),
  };
}

/** Everything from the first index on, over what is damaged. */
async function read(store: Store): Promise<Opened['records'][number][]> {
  const records: Opened['records'][number][] = [];
  for (let from = await store.firstIndex(); ; ) {
    try {
      for await (const { index, time, headers, data } of store.entries({ from })) {
        records.push({ index, time: time.getTime(), headers, data: textOf(Buffer.from(data)) });
        from = index + 1;
      }
      return records;
    } catch (error) {
      if (!(error instanceof CorruptError || error instanceof CodecError)) throw error;
      const index = (error instanceof CodecError ? error.index : error.indexes?.from) ?? from;
      records.push({ index, code: error.code });
      from = index + 1;
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const textOf = (bytes: Buffer): string =>
  /^[ -~]*$/.test(bytes.toString('latin1')) ? bytes.toString('latin1') : bytes.toString('hex');

/** What the tests' own reader of the format, which knows nothing of the library's, has to complain of. */
export const complaints = (directory: string): string[] => checkDirectory(directory);
