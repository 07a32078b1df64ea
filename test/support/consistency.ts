import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Disk } from '../../src/disk/disk.js';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { checkFileHeader, HEADER_BYTES, HeaderKind } from '../../src/frame/file-header.js';
import { readUint48 } from '../../src/frame/uint48.js';
import { ENTRY_BYTES, readEntry } from '../../src/segment/entry.js';
import { readMeta } from '../../src/store/meta.js';
import { describeFrame, isZero, type WalkedFrame, walkFrames, wholeFrameBehind } from './frame-walk.js';
import { type WalkedJournals, walkJournals } from './journal-walk.js';
import { WalkedTakeovers } from './takeover-walk.js';

/**
 * What is wrong with the stores in a directory, one line each; none: it is sound. Everything is read from its first byte
 * on, with the codecs of the library and nothing else of it: a second, simple opinion on what the files say.
 *
 * What a killed process may leave for the next opener is no problem: an unfinished batch at the end of the last segment
 * or of the journal, a sealed segment without its successor, the files that a sparse segment succeeds, a successor of the journal that no mark names, what is
 * left of segments all of whose records are gone. What a power cut leaves is one until somebody has opened the store;
 * after it, entries may be of frames that did not survive, which `staleEntries` allows.
 */
export function checkDirectoryOn(
  disk: Disk,
  directory: string,
  { staleEntries = false }: { readonly staleEntries?: boolean } = {},
): string[] {
  const names = disk.list(directory);
  const prefixes = new Set<string>();
  for (const name of names) {
    const found = /^([A-Za-z0-9][\w-]*?)(\.meta|_[0-9]{20}\.(?:dat|idx)|\.fate\.[0-9]+)$/.exec(name);
    if (found?.[1] !== undefined) prefixes.add(found[1]);
  }
  const problems: string[] = [];
  for (const name of names) {
    const owners = [...prefixes].filter(
      (prefix) => name.startsWith(`${prefix}.`) || name.startsWith(`${prefix}_`),
    );
    const kinds = owners.map((prefix) => new FileNames(directory, prefix).parse(name)?.kind);
    if (owners.length > 0 && kinds.every((kind) => kind === undefined))
      problems.push(`${name}: not a name that a store gives`);
    if (kinds.includes('temporary')) problems.push(`${name}: a temporary file was left`);
  }
  for (const prefix of prefixes)
    problems.push(...new StoreCheck(disk, directory, prefix, names).run(staleEntries));
  return problems;
}

/** The same for the operating system's disk, in the directory and all those in it. */
export function checkDirectory(directory: string): string[] {
  const directories = new Set<string>();
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    if (/\.(meta|dat|idx)$|\.fate\.\d+$/.test(path)) directories.add(dirname(join(directory, path)));
  return [...directories].flatMap((one) =>
    checkDirectoryOn(osDisk, one).map((problem) => `${one}: ${problem}`),
  );
}

const damaged = new Set<string>();

/** For tests that damage what is in a temporary directory, and leave it so: it is not checked when they end. */
export function damagedOnPurpose(directory: string): void {
  damaged.add(directory);
}

/** The check of temporary directories: throws what is wrong. */
export function checkTemporaryDirectory(directory: string): void {
  if (damaged.delete(directory) || !existsSync(directory)) return;
  const problems = checkDirectory(directory);
  if (problems.length > 0) throw new Error(`the directory is not sound:\n${problems.join('\n')}`);
}

interface Segment {
  readonly first: number;
  /** Every record that is wholly there, committed or not. */
  readonly records: Map<number, WalkedFrame>;
  /** The first index that is not in it. */
  readonly next: number;
  /** Where a seal or a take-over says that the log goes on. */
  readonly continuesAt: number | undefined;
}

class StoreCheck {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #listed: readonly string[];
  readonly #problems: string[] = [];
  readonly #takeovers: WalkedTakeovers;
  #storeId: Buffer = Buffer.alloc(8);
  #locking = '';
  #time = 0;
  /** Whether the power was cut. */
  #wasCut = false;

  constructor(disk: Disk, directory: string, prefix: string, listed: readonly string[]) {
    this.#disk = disk;
    this.#names = new FileNames(directory, prefix);
    this.#listed = listed;
    this.#takeovers = new WalkedTakeovers(disk, this.#names, listed);
  }

  run(staleEntries: boolean): string[] {
    this.#wasCut = staleEntries;
    if (!this.#checkMeta()) return this.#problems;
    this.#checkLockFiles();
    const journals = this.#checkJournals();
    const firsts = this.#numbers('data');
    const sparse = this.#generations();
    // The pair that a sparse segment succeeds may still be there.
    const all = [...new Set([...firsts, ...sparse.keys()])].sort((a, b) => a - b);
    const segments = all.map((first) => {
      const generation = sparse.get(first);
      return generation === undefined
        ? this.#checkSegment(first, first === all.at(-1), journals)
        : this.#checkSparse(first, generation, journals);
    });
    this.#checkSuccession(segments, journals);
    for (const first of this.#numbers('entries'))
      if (!sparse.has(first)) this.#checkEntries(first, segments, journals, staleEntries);
    const next = segments.at(-1)?.continuesAt ?? segments.at(-1)?.next ?? 1;
    if (journals !== undefined && journals.highestNamed >= next)
      this.#problem('the journal', `a fact names ${journals.highestNamed}, and the next index is ${next}`);
    return this.#problems;
  }

  #problem(where: string, what: string): void {
    this.#problems.push(`${where}: ${what}`);
  }

  #numbers(kind: 'data' | 'entries' | 'fate'): number[] {
    const numbers: number[] = [];
    for (const name of this.#listed) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind !== kind) continue;
      const counts =
        kind === 'fate'
          ? this.#takeovers.epochOfJournal(parsed.number)
          : this.#takeovers.epochOfSegment(parsed.number);
      if (parsed.epoch === counts) numbers.push(parsed.number);
    }
    return numbers.sort((a, b) => a - b);
  }

  /** The highest generation of sparse segments by first index. */
  #generations(): Map<number, number> {
    const generations = new Map<number, number>();
    for (const name of this.#listed) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind === 'sparse-data')
        generations.set(parsed.number, Math.max(parsed.generation, generations.get(parsed.number) ?? 0));
    }
    return generations;
  }

  #read(path: string): Buffer {
    const file = this.#disk.open(path, 'read');
    if (file === undefined) return Buffer.alloc(0);
    try {
      const bytes = Buffer.alloc(file.size());
      return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0));
    } finally {
      file.close();
    }
  }

  #checkMeta(): boolean {
    try {
      const meta = readMeta(this.#disk, this.#names);
      if (meta === undefined) this.#problem(this.#names.meta(), 'missing, with files of its store there');
      else {
        this.#storeId = meta.id;
        this.#locking = meta.locking;
      }
      return meta !== undefined;
    } catch (error) {
      this.#problem(this.#names.meta(), String(error));
      return false;
    }
  }

  #checkLockFiles(): void {
    for (const name of this.#listed) {
      const kind = this.#names.parse(name)?.kind;
      if (kind !== 'lock' && kind !== 'hold') continue;
      const path = join(this.#names.directory, name);
      if (path === this.#names.lockDirectory() || path === this.#names.guard()) continue;
      // With lock files it is a directory.
      if (kind === 'hold' && this.#locking === 'lockfile') continue;
      const size = this.#read(path).length;
      if (size > 0) this.#problem(name, `a lock file holds ${size} bytes`);
    }
  }

  #checkJournals(): WalkedJournals | undefined {
    const files = this.#numbers('fate').map((number) => {
      const epoch = this.#takeovers.epochOfJournal(number);
      const path = this.#names.fateJournal(number, epoch);
      const cut = this.#takeovers.cutOfJournal(number);
      return { number, epoch, path, bytes: this.#read(path).subarray(0, cut), cut };
    });
    const walked = walkJournals(files, this.#storeId);
    for (const problem of walked.problems) this.#problem('the journal', problem);
    return walked;
  }

  #header(
    path: string,
    bytes: Buffer,
    kind: HeaderKind,
    first: number,
    epoch = this.#takeovers.epochOfSegment(first),
  ): 'valid' | 'absent' | 'foreign' {
    try {
      const length = Math.min(bytes.length, HEADER_BYTES);
      return checkFileHeader(bytes, length, kind, this.#storeId, first, path, epoch);
    } catch (error) {
      this.#problem(path, String(error));
      return 'foreign';
    }
  }

  #checkSegment(first: number, isLast: boolean, journals: WalkedJournals | undefined): Segment {
    const path = this.#names.data(first, this.#takeovers.epochOfSegment(first));
    // What a sleeper wrote behind a cut counts for nothing.
    const cut = this.#takeovers.cutOfSegment(first);
    const bytes = this.#read(path).subarray(0, cut?.end);
    const records = new Map<number, WalkedFrame>();
    let next = first;
    let committed = first;
    let seal: WalkedFrame | undefined;
    const header = this.#header(path, bytes, HeaderKind.data, first);
    if (header !== 'valid') {
      if (header === 'foreign' || !isLast) this.#problem(path, `its header is ${header}`);
      return { first, records, next, continuesAt: cut?.next };
    }
    const walk = walkFrames(bytes, HEADER_BYTES);
    let end = HEADER_BYTES;
    let time = 0;
    for (const frame of walk.frames) {
      const { head, position } = frame;
      if (seal !== undefined) this.#problem(path, `${describeFrame(frame)} behind the seal`);
      if (head.kind === 'record') {
        if (head.number !== next) this.#problem(path, `${describeFrame(frame)} where ${next} is expected`);
        if (head.time < this.#time)
          this.#problem(path, `${describeFrame(frame)} is older than one before it`);
        if (head.safe >= head.number) this.#problem(path, `${describeFrame(frame)} says it is safe itself`);
        time = Math.max(time, head.time);
        records.set(head.number, frame);
        next = head.number + 1;
      } else if (head.kind === 'seal') {
        seal = frame;
        this.#checkSeal(path, frame, bytes, first, next, records);
      } else if (head.kind === 'mark') {
        if (head.number !== next || head.safe !== next - 1)
          this.#problem(path, `${describeFrame(frame)} where the next index is ${next}`);
      } else if (head.kind === 'carried') {
        if (head.number !== next || committed === next)
          this.#problem(path, `${describeFrame(frame)} carries facts where the next index is ${next}`);
      } else this.#problem(path, `${describeFrame(frame)} does not belong into a segment`);
      if (head.endsBatch) {
        end = position + head.length;
        committed = next;
        // Of a batch that is not whole nobody knows.
        this.#time = Math.max(this.#time, time);
      } else if (head.kind !== 'record') this.#problem(path, `${describeFrame(frame)} does not end a batch`);
    }
    // Nobody writes to what is of an earlier epoch: what a power cut took of it is told by facts.
    const isEnded = this.#takeovers.epochOfSegment(first) !== this.#takeovers.latestEpoch;
    const isGone = journals?.isGone(first, Math.max(next, first + 1)) ?? false;
    if (!isZero(bytes, end)) {
      if ((!isLast && !isEnded) || seal !== undefined)
        this.#problem(path, `bytes behind the end at ${end}${seal ? ', which is sealed' : ''}`);
      const behind = wholeFrameBehind(
        bytes,
        walk.end,
        (head) => head.kind === 'record' && head.number >= next,
      );
      const isTold = isEnded && behind !== undefined && journals?.isGone(next, behind.head.number + 1);
      if (behind !== undefined && !isTold)
        this.#problem(path, `${describeFrame(behind)} behind what is bad at ${walk.end}`);
    }
    if (!isLast && seal === undefined && cut === undefined && !isGone && !isEnded)
      this.#problem(path, 'not the last one and not sealed');
    return { first, records, next: committed, continuesAt: seal?.head.number ?? cut?.next };
  }

  /** Whole from the first byte to the last: records in the order of their indexes, those between them gone, and a seal. */
  #checkSparse(first: number, generation: number, journals: WalkedJournals | undefined): Segment {
    const path = this.#names.sparseData(first, generation);
    const bytes = this.#read(path);
    const records = new Map<number, WalkedFrame>();
    const header = this.#header(path, bytes, HeaderKind.sparseData, first, generation);
    if (header !== 'valid') {
      this.#problem(path, `its header is ${header}`);
      return { first, records, next: first + 1, continuesAt: undefined };
    }
    const { frames, end } = walkFrames(bytes, HEADER_BYTES);
    const seal = frames.at(-1);
    if (end !== bytes.length || seal?.head.kind !== 'seal')
      this.#problem(path, `it does not end with a seal`);
    let next = first;
    for (const frame of frames) {
      const { head } = frame;
      if (!head.endsBatch) this.#problem(path, `${describeFrame(frame)} does not end a batch`);
      if (head.number < next) this.#problem(path, `${describeFrame(frame)} where ${next} is expected`);
      else if (head.number > next && !journals?.isGone(next, head.number))
        this.#problem(path, `it has not ${next} to ${head.number - 1}, and no fact says why`);
      next = head.number;
      if (frame === seal) break;
      if (head.kind !== 'record') this.#problem(path, `${describeFrame(frame)} does not belong there`);
      if (head.time < this.#time) this.#problem(path, `${describeFrame(frame)} is older than one before it`);
      this.#time = Math.max(this.#time, head.time);
      records.set(head.number, frame);
      next = head.number + 1;
    }
    this.#checkSparseEntries(first, generation, records);
    return { first, records, next, continuesAt: seal?.head.number };
  }

  /** One entry a record, in their order. Where there are none, the file's name was lost to a power cut. */
  #checkSparseEntries(first: number, generation: number, records: ReadonlyMap<number, WalkedFrame>): void {
    const path = this.#names.sparseEntries(first, generation);
    const bytes = this.#read(path);
    if (bytes.length === 0) return;
    if (this.#header(path, bytes, HeaderKind.sparseEntries, first, generation) !== 'valid')
      this.#problem(path, 'its header is not valid');
    if (bytes.length !== HEADER_BYTES + records.size * ENTRY_BYTES)
      this.#problem(path, `${bytes.length} bytes are not the entries of ${records.size} records`);
    const found = { position: 0, length: 0 };
    let at = HEADER_BYTES;
    for (const [index, record] of records) {
      const isWhole = at + ENTRY_BYTES <= bytes.length && readEntry(bytes, at, index, found);
      if (!isWhole || record.position !== found.position || record.head.length !== found.length)
        this.#problem(path, `does not say at ${at} that ${index} is at ${record.position}`);
      at += ENTRY_BYTES;
    }
  }

  #checkSeal(
    path: string,
    frame: WalkedFrame,
    bytes: Buffer,
    first: number,
    next: number,
    records: ReadonlyMap<number, WalkedFrame>,
  ): void {
    const { head, body } = frame;
    if (head.number < next || head.number <= first)
      this.#problem(path, `${describeFrame(frame)} where the next index is ${next}`);
    const count = readUint48(bytes, body);
    if (count !== next - first) this.#problem(path, `the seal counts ${count} records of ${next - first}`);
    const firstTime = readUint48(bytes, body + 6);
    const oldest = records.get(first)?.head.time;
    if (oldest !== undefined && firstTime !== oldest)
      this.#problem(path, `the seal says that its first record is of ${firstTime}, and it is of ${oldest}`);
    const greatest = readUint48(bytes, body + 18);
    if (greatest < this.#time)
      this.#problem(path, `the seal says ${greatest} is the greatest time, and it is ${this.#time}`);
    // Written again in place of one that a power cut took, it knows of records that came later.
    if (!this.#wasCut) this.#time = Math.max(this.#time, greatest);
  }

  /** Each segment begins where the one before it says; what is missing between them, and at their ends, is gone. */
  #checkSuccession(segments: readonly Segment[], journals: WalkedJournals | undefined): void {
    let expected = 1;
    for (const { first, next, continuesAt } of segments) {
      const path = this.#names.data(first);
      if (first < expected) this.#problem(path, `the segment before it says that ${expected} is next`);
      if (first > expected && !journals?.isGone(expected, first))
        this.#problem(path, `records from ${expected} to ${first - 1} are missing, and no fact says why`);
      if (continuesAt !== undefined && continuesAt > next && !journals?.isGone(next, continuesAt))
        this.#problem(path, `it passes over ${next} to ${continuesAt - 1}, and no fact says why`);
      expected = continuesAt ?? next;
    }
  }

  #checkEntries(
    first: number,
    segments: readonly Segment[],
    journals: WalkedJournals | undefined,
    staleEntries: boolean,
  ): void {
    const path = this.#names.entries(first, this.#takeovers.epochOfSegment(first));
    const segment = segments.find((one) => one.first === first);
    if (segment === undefined) {
      if (!journals?.isGone(first, first + 1)) this.#problem(path, 'without its data file');
      return;
    }
    if (staleEntries) return;
    const bytes = this.#read(path);
    // Their header is not looked at: nobody trusts entries, and its creator may have died over it.
    const found = { position: 0, length: 0 };
    for (let at = HEADER_BYTES, index = first; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES, index++) {
      if (!readEntry(bytes, at, index, found)) continue;
      // Those at or behind the end are of records that a power cut took.
      if (index >= segment.next) break;
      const record = segment.records.get(index);
      if (record === undefined) this.#problem(path, `has an entry of ${index}, whose frame is missing`);
      else if (record.position !== found.position || record.head.length !== found.length)
        this.#problem(path, `says ${index} is at ${found.position}, and it is at ${record.position}`);
    }
  }
}
