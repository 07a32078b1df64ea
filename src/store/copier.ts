import { basename, join, resolve } from 'node:path';
import { copyBytes, tryLink } from '../disk/copy-bytes.js';
import type { DiskFile } from '../disk/disk.js';
import { FileNames } from '../disk/file-names.js';
import { publishFile } from '../disk/publish-file.js';
import { SyncFailure } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import { Fenced } from '../epoch/fenced.js';
import { encodeFileHeader, HEADER_BYTES, HeaderKind } from '../frame/file-header.js';
import { saltOf } from '../frame/frame.js';
import { Fates } from '../journal/fates.js';
import { writeSuccessor } from '../journal/successor.js';
import { WithoutClaims } from '../journal/without-claims.js';
import { ENTRY_BYTES } from '../segment/entry.js';
import { readSeal } from '../segment/seal.js';
import { describeDiskError, describeOpeningError } from './disk-errors.js';
import type { Engine } from './engine.js';
import { encodeMeta, syncNamesAbove } from './meta.js';
import { invalid } from './options.js';
import { resolveTicks } from './tick-resolution.js';
import { nextTurn } from './turns.js';

/** Segments that are sealed while others are copied are copied in so many rounds without a lock; the rest is held open. */
const ROUNDS = 3;

/** A file that is to be copied as far as it counts, held open: whatever becomes of its name, its bytes stay. */
interface Held {
  readonly from: DiskFile;
  readonly end: number;
}

/** What the store was at one moment. */
interface Snapshot {
  readonly held: readonly Held[];
  /** First indexes of its segments. */
  readonly segments: ReadonlySet<number>;
  readonly next: number;
  /** Small files, by their names. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * Copies a store as it is at one moment, while everybody goes on working in it. Segments that are sealed never change: they get a second
 * name in the copy, or are copied, before that moment. Then, under both locks, the ends are noted, what is not copied yet is opened, and
 * the state of the fates is written down. ⚑ The meta comes last, when all else is on the device: until then there is no store.
 */
export class Copier {
  readonly #engine: Engine;
  readonly #running = new Set<Promise<unknown>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  copyTo(directory: string): Promise<void> {
    const working = new Copy(this.#engine, directory).run();
    const quiet = working.catch(() => {});
    this.#running.add(quiet);
    void quiet.then(() => this.#running.delete(quiet));
    return working;
  }

  /** Waits for those that run, which notice that the store is closed. */
  async close(): Promise<void> {
    await Promise.all(this.#running);
  }
}

class Copy {
  readonly #engine: Engine;
  readonly #names: FileNames;
  /** Segments of which the copy has the files, by first index. */
  readonly #copied = new Map<number, readonly string[]>();
  /** What was made in the copy: removed where it does not come to its end. */
  readonly #made: string[] = [];
  /** Whether the meta there may be this copy's. Another one of the same store may have been faster. */
  #isPublished = false;

  constructor(engine: Engine, directory: string) {
    this.#engine = engine;
    this.#names = new FileNames(resolve(directory), engine.names.prefix);
  }

  async run(): Promise<void> {
    const { disk } = this.#engine;
    const { directory } = this.#names;
    try {
      disk.makeDirectory(directory);
      this.#assertEmpty();
      await syncNamesAbove(disk, directory);
    } catch (error) {
      throw describeOpeningError(error, directory);
    }
    try {
      await this.#copy();
    } catch (error) {
      this.#undo();
      throw describeDiskError(
        error instanceof SyncFailure ? error.cause : error,
        `copying the store to ${directory}`,
      );
    }
  }

  async #copy(): Promise<void> {
    const { disk, syncer, files } = this.#engine;
    for (let round = 0; round < ROUNDS; round++) if (!(await this.#copySealed())) break;
    const snapshot = await this.#snapshot();
    try {
      for (const { from, end } of snapshot.held) await this.#copyFile(from, end);
    } finally {
      for (const { from } of snapshot.held) from.close();
    }
    // What went meanwhile is not in the state.
    for (const [first, paths] of this.#copied)
      if (!snapshot.segments.has(first)) for (const path of paths) this.#remove(path);
    for (const [name, bytes] of snapshot.files) await this.#write(name, bytes);
    await this.#copyArchives();
    // Nobody may take for lost here what is in the copy.
    await syncer.upTo(snapshot.next - 1);
    files.assertNotSuspect();
    await disk.syncDirectory(this.#names.directory);
    this.#engine.assertUsable();
    const { locks, storeId } = this.#engine;
    const meta = encodeMeta({ locking: locks.mode, id: storeId });
    const path = this.#names.meta();
    if (disk.exists(path)) throw this.#taken();
    // What fails behind the giving of the name fails, too.
    this.#isPublished = true;
    if (publishFile(disk, this.#names, path, meta)) {
      await disk.syncDirectory(this.#names.directory);
      return;
    }
    this.#isPublished = false;
    throw this.#taken();
  }

  #assertEmpty(): void {
    const { disk } = this.#engine;
    const isOfStore = (name: string): boolean => this.#names.parse(name) !== undefined;
    if (disk.list(this.#names.directory).some(isOfStore)) throw this.#taken();
  }

  #taken(): Error {
    const { directory, prefix } = this.#names;
    return invalid('directory', `one without files of a store with the prefix ${prefix}`, directory);
  }

  /** ⚑ The meta goes first, if it is this copy's: with it and without its files the directory would be a store that has nothing. */
  #undo(): void {
    const { disk } = this.#engine;
    try {
      if (this.#isPublished) disk.unlink(this.#names.meta());
    } catch {
      // Then what is there is a whole copy.
      return;
    }
    for (const path of this.#made) this.#remove(path);
  }

  #remove(path: string): void {
    try {
      this.#engine.disk.unlink(path);
    } catch {
      // Without a meta it is no store.
    }
  }

  /** Those segments that nobody writes to; true where there were any that were not copied yet. */
  async #copySealed(): Promise<boolean> {
    const { tail, epochs, files } = this.#engine;
    this.#engine.catchUp();
    let any = false;
    for (const first of [...tail.segments]) {
      if (first === tail.active || this.#copied.has(first)) continue;
      // One that a take-over ended may still be written to by a sleeper: what counts of it is copied.
      if (epochs.cutOfSegment(first) !== undefined) continue;
      const file = files.data(first);
      if (file === undefined || readSeal(files, file) === undefined) continue;
      await this.#copySegment(first);
      any = true;
    }
    return any;
  }

  async #copySegment(first: number): Promise<void> {
    const { files, disk } = this.#engine;
    const [data, entries] = [files.dataPath(first), files.entriesPath(first)];
    const to = this.#pathOf(data);
    const outcome = tryLink(disk, data, to);
    if (outcome === 'taken') throw this.#taken();
    if (outcome === 'missing') return;
    if (outcome === 'linked') {
      this.#made.push(to);
      await this.#syncLinked(to);
    } else await this.#copyPath(data);
    await this.#copyPath(entries);
    this.#copied.set(first, [this.#pathOf(entries), to]);
  }

  /**
   * ⚑ Its seal, too: nobody may have waited for that. Lost to a power cut, it would have the original go on in the file that both share.
   */
  async #syncLinked(path: string): Promise<void> {
    const file = this.#engine.disk.open(path, 'read');
    try {
      await file?.sync();
    } finally {
      file?.close();
    }
  }

  /** Nothing where it is not there. */
  async #copyPath(path: string): Promise<void> {
    const from = this.#engine.disk.open(path, 'read');
    try {
      if (from !== undefined) await this.#copyFile(from);
    } finally {
      from?.close();
    }
  }

  async #copyFile(from: DiskFile, end?: number): Promise<void> {
    const to = this.#create(this.#pathOf(from.path));
    try {
      for (const _ of copyBytes(from, to, end)) {
        await nextTurn();
        this.#engine.assertUsable();
      }
      await to.sync();
    } finally {
      to.close();
    }
  }

  async #write(name: string, bytes: Buffer): Promise<void> {
    const file = this.#create(join(this.#names.directory, name));
    try {
      writeFully(file, bytes, bytes.length, 0);
      await file.sync();
    } finally {
      file.close();
    }
  }

  #create(path: string): DiskFile {
    const file = this.#engine.disk.create(path);
    if (file === undefined) throw this.#taken();
    this.#made.push(path);
    return file;
  }

  #pathOf(path: string): string {
    return join(this.#names.directory, basename(path));
  }

  /** Behind the snapshot: what was archived of segments that went before is there. */
  async #copyArchives(): Promise<void> {
    const { disk, names } = this.#engine;
    for (const name of disk.list(names.directory))
      if (names.parse(name)?.kind === 'ids') await this.#copyPath(join(names.directory, name));
  }

  async #snapshot(): Promise<Snapshot> {
    const { locks } = this.#engine;
    for (;;) {
      await locks.fate.enter();
      try {
        await locks.write.enter();
        try {
          const snapshot = this.#take();
          if (snapshot !== undefined) return snapshot;
        } finally {
          locks.write.leave();
        }
      } finally {
        locks.fate.leave();
      }
    }
  }

  /** Under both locks, in one stretch; undefined where they were lost meanwhile. */
  #take(): Snapshot | undefined {
    const engine = this.#engine;
    const { tenure, journal, appender, carried, tail } = engine;
    const held: Held[] = [];
    let isTaken = false;
    try {
      engine.assertUsable();
      tenure.enter();
      journal.catchUpLocked();
      appender.catchUp();
      carried.lookLocked();
      resolveTicks(engine);
      appender.flushEntries();
      const segments = new Set(tail.segments);
      for (const first of segments) this.#hold(first, held);
      const files = new Map([this.#stateFile(), ...this.#takeoverFile()]);
      isTaken = !tenure.isLost(tail.position());
      return isTaken ? { held, segments, next: tail.nextIndex, files } : undefined;
    } catch (error) {
      if (!(error instanceof Fenced)) throw error;
      tenure.lost();
      return undefined;
    } finally {
      if (!isTaken) for (const { from } of held) from.close();
    }
  }

  /** A segment whose files are not there has gone by facts: nobody needs it. */
  #hold(first: number, held: Held[]): void {
    const { disk, files, epochs, tail } = this.#engine;
    if (this.#copied.has(first)) return;
    files.refresh(first);
    const data = disk.open(files.dataPath(first), 'read');
    if (data === undefined) return;
    const cut = epochs.cutOfSegment(first);
    const isActive = first === tail.active;
    held.push({ from: data, end: isActive ? tail.end : (cut?.end ?? data.size()) });
    const entries = disk.open(files.entriesPath(first), 'read');
    if (entries === undefined) return;
    const next = isActive ? tail.nextIndex : cut?.next;
    const end = next === undefined ? entries.size() : HEADER_BYTES + (next - first) * ENTRY_BYTES;
    held.push({ from: entries, end });
  }

  /** The state of the fates, as a journal that begins with it. Nobody in the copy has a claim. */
  #stateFile(): [name: string, bytes: Buffer] {
    const { journal, epochs, fates, storeId, clock, names } = this.#engine;
    const state = new Fates('');
    fates.tell(new WithoutClaims(state));
    const parts: Buffer[] = [];
    const into = {
      write: (bytes: Uint8Array, offset: number, length: number): number => {
        parts.push(Buffer.from(bytes.subarray(offset, offset + length)));
        return length;
      },
    };
    // One that begins with a state is never the first.
    const number = journal.number + 1;
    const epoch = epochs.ofJournal(number);
    const header = encodeFileHeader(HeaderKind.fates, storeId, number, epoch);
    const time = Math.floor(clock.now());
    writeSuccessor(into, header, saltOf(storeId), journal.number, state, journal.fact, time);
    return [basename(names.fateJournal(number, epoch)), Buffer.concat(parts)];
  }

  /** Which files count, and where they are cut. */
  *#takeoverFile(): IterableIterator<[name: string, bytes: Buffer]> {
    const { disk, epochs } = this.#engine;
    const { path } = epochs;
    const file = path === undefined ? undefined : disk.open(path, 'read');
    if (file === undefined) return;
    try {
      const bytes = Buffer.alloc(file.size());
      yield [basename(file.path), bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))];
    } finally {
      file.close();
    }
  }
}
