import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Disk } from '../disk/disk.js';
import { FileNames } from '../disk/file-names.js';
import { Residence } from '../disk/residence.js';
import { SyncFailure } from '../disk/sync-failure.js';
import { Epochs } from '../epoch/epochs.js';
import { CorruptError, DurostoreError } from '../errors.js';
import { Indexer } from '../indexer/indexer.js';
import { BOOT_BYTES } from '../journal/fact-format.js';
import { Fates } from '../journal/fates.js';
import { Journal, type JournalLimits } from '../journal/journal.js';
import { type Locks, openLocks } from '../lock/locks.js';
import { Appender } from '../segment/appender.js';
import { LARGE_BYTES, type LargeRecord } from '../segment/large-read.js';
import { Reader } from '../segment/reader.js';
import type { RecordRun } from '../segment/record-run.js';
import { readSeal } from '../segment/seal.js';
import { SegmentFiles } from '../segment/segment-files.js';
import type { Slices } from '../segment/slices.js';
import { LARGE, type StoredRecord } from '../segment/stored-record.js';
import { Syncer } from '../segment/syncer.js';
import { Tail } from '../segment/tail.js';
import { firstSince } from '../segment/time-search.js';
import { BackgroundSync } from './background-sync.js';
import { CarriedDeletes } from './carried-deletes.js';
import { closeEngine } from './closing.js';
import { type CompactionLimits, Compactor } from './compactor.js';
import { Copier } from './copier.js';
import { Decider } from './decider.js';
import { describeDiskError, describeOpeningError } from './disk-errors.js';
import { FactSync } from './fact-sync.js';
import { Failure } from './failure.js';
import { IdArchives } from './id-archives.js';
import { type Meta, readMeta, readOrCreateMeta } from './meta.js';
import { OpenStreams } from './open-streams.js';
import type { ResolvedStoreOptions } from './options.js';
import { isInPieces, plainRecord, undonePieces } from './plain-record.js';
import { recoverStore } from './recover-store.js';
import { Retention } from './retention.js';
import { Sweeper } from './sweeper.js';
import { Tenure } from './tenure.js';
import { Transactor } from './transactor.js';
import { Turns } from './turns.js';
import { Writer } from './writer.js';

/**
 * One opener's view of a store: the floors beneath, wired. Stores and queues are faces of it.
 *
 * The files are the truth and everything here is what this opener last saw of them; `catchUp` looks again.
 */
export class Engine {
  readonly options: ResolvedStoreOptions;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly names: FileNames;
  readonly locks: Locks;
  readonly epochs: Epochs;
  readonly failure: Failure;
  readonly files: SegmentFiles;
  readonly tail: Tail;
  readonly appender: Appender;
  readonly fates: Fates;
  readonly journal: Journal;
  readonly syncer: Syncer;
  readonly indexer: Indexer;
  readonly turns = new Turns();
  readonly streams = new OpenStreams();
  readonly writer: Writer;
  readonly decider: Decider;
  readonly transactor: Transactor;
  readonly carried: CarriedDeletes;
  readonly copier: Copier;
  readonly sweeper: Sweeper;
  readonly compactor: Compactor;
  readonly retention: Retention;
  readonly backgroundSync: BackgroundSync;
  readonly tenure: Tenure;
  readonly storeId: Buffer;
  /** How long the ids of messages are remembered. A store knows nothing of that, and keeps what it removes the records of. */
  idWindowMs = Number.POSITIVE_INFINITY;
  readonly idArchives = new IdArchives(this);
  /** The name of this boot, as facts have it. */
  readonly boot: string;
  readonly #reader: Reader;
  readonly #factSync: FactSync;
  #closing: Promise<void> | undefined;
  #seenIndex = 0;
  #seenFact = 0;
  #seenSegment = 0;

  private constructor(
    disk: Disk,
    names: FileNames,
    options: ResolvedStoreOptions,
    meta: Meta,
    locks: Locks,
    limits?: JournalLimits,
    compaction?: CompactionLimits,
    slices?: Slices,
  ) {
    this.disk = disk;
    this.names = names;
    this.options = options;
    this.clock = options.clock;
    this.locks = locks;
    this.storeId = meta.id;
    this.boot = createHash('sha256')
      .update(disk.bootId())
      .digest('hex')
      .slice(0, 2 * BOOT_BYTES);
    const residence = new Residence(disk, names, meta.id);
    this.failure = new Failure(disk, names, options.clock, residence);
    this.epochs = new Epochs(disk, names, meta.id, meta.locking === 'lockfile', residence);
    this.files = new SegmentFiles(disk, names, meta.id, this.epochs);
    this.tail = new Tail(this.files);
    this.appender = new Appender(this.files, this.tail, options.maxFileSize, {
      mayLoseLock: meta.locking === 'lockfile',
      isAlone: locks.isAlone,
    });
    this.fates = new Fates(this.boot);
    this.journal = new Journal(disk, names, meta.id, this.epochs, this.fates, limits, locks.isAlone);
    this.#reader = new Reader(this.files, this.tail, options.maxChunk);
    this.syncer = new Syncer(this.files, this.tail, (error) => this.failure.ofSync(error));
    this.#factSync = new FactSync(this);
    this.indexer = new Indexer(
      disk,
      names.directory,
      options.clock,
      options.indexer,
      () => this.#catchUpFiles(),
      () => this.#patrol(),
    );
    this.writer = new Writer(this, slices);
    this.decider = new Decider(this);
    this.transactor = new Transactor(this);
    this.carried = new CarriedDeletes(this);
    this.copier = new Copier(this);
    this.sweeper = new Sweeper(this);
    this.compactor = new Compactor(this, compaction);
    this.retention = new Retention(this);
    this.backgroundSync = new BackgroundSync(this);
    this.tenure = new Tenure(this);
  }

  /** Opens the directory, creating what is missing; the first opener checks what its predecessors left. */
  static async open(
    disk: Disk,
    options: ResolvedStoreOptions,
    limits?: JournalLimits,
    compaction?: CompactionLimits,
    slices?: Slices,
  ): Promise<Engine> {
    options.signal?.throwIfAborted();
    const names = new FileNames(options.directory, options.filePrefix);
    let locks: Locks | undefined;
    let engine: Engine | undefined;
    try {
      const meta = await readOrCreateMeta(disk, names, options.locking);
      if (options.locking !== 'auto' && options.locking !== meta.locking) {
        throw new DurostoreError(
          'MISMATCH',
          `${names.directory} was created with locking: '${meta.locking}', not '${options.locking}'. ` +
            "Open it with that, or with 'auto'",
        );
      }
      locks = openLocks(disk, names, meta.locking);
      const arrival = await locks.arrive(options.signal);
      const again = readMeta(disk, names);
      if (again === undefined || !again.id.equals(meta.id)) {
        throw new DurostoreError(
          'STORE_FAILED',
          `${names.directory} was removed or replaced while it was opened`,
        );
      }
      engine = new Engine(disk, names, options, meta, locks, limits, compaction, slices);
      const mayBelieve = meta.locking !== 'lockfile';
      engine.files.believesStreams = mayBelieve && arrival !== 'first' && !disk.exists(names.suspect());
      await recoverStore(engine, arrival === 'first', options.signal);
      engine.files.believesStreams = mayBelieve;
      locks.settle();
      engine.noteChange();
      engine.sweeper.checkAll();
      engine.compactor.touchAll();
      engine.retention.start();
      return engine;
    } catch (error) {
      if (error instanceof SyncFailure) engine?.failure.ofSync(error);
      engine?.compactor.close();
      engine?.retention.close();
      engine?.indexer.close();
      engine?.journal.close();
      engine?.files.descriptors.close();
      locks?.close();
      if (options.signal?.aborted && error === options.signal.reason) throw error;
      throw describeOpeningError(error, names.directory);
    }
  }

  /** Whether calls resolve on the device where nothing else is said. */
  get durable(): boolean {
    return this.options.durability === 'synced';
  }

  get isOpen(): boolean {
    return this.#closing === undefined;
  }

  /** Throws CLOSED after close. */
  assertOpen(): void {
    if (!this.isOpen) throw this.closedError();
  }

  closedError(): DurostoreError {
    return new DurostoreError('CLOSED', `${this.names.directory} is closed here: open it again`);
  }

  /** Throws CLOSED after close, STORE_FAILED after a failed write or sync. */
  assertUsable(): void {
    this.assertOpen();
    this.failure.assertNone();
  }

  /** Learns what others did. Facts first: the records that they name are there already. */
  catchUp(): void {
    this.failure.assertThere();
    try {
      this.indexer.look();
    } catch (error) {
      throw describeDiskError(error, 'looking at the directory');
    }
  }

  /** The same of records alone, for who decides and has all facts. */
  catchUpRecords(): void {
    try {
      this.tail.catchUp();
    } catch (error) {
      throw describeDiskError(error, 'looking at the directory');
    }
  }

  /** To be called after every look at the files that did not go through `catchUp`, and after own changes. */
  noteChange(): boolean {
    const changed = this.#movedOn();
    if (changed) this.indexer.changed();
    return changed;
  }

  /** Indexes there are, whoever wrote or deleted them. */
  get length(): number {
    return this.tail.nextIndex - 1 - this.fates.goneSet.count;
  }

  /** The lowest index there is; the next one where there is none. */
  get firstIndex(): number {
    return Math.min(this.fates.goneSet.firstAbsent(1), this.tail.nextIndex);
  }

  /** Whether a record is there, as far as this opener knows. */
  has(index: number): boolean {
    return index >= 1 && index < this.tail.nextIndex && !this.fates.goneSet.has(index);
  }

  /** Reads a record; undefined where it is gone or never was. Catches up first. CORRUPT where its bytes are damaged. */
  read(index: number, most?: number): StoredRecord | undefined {
    if (index < this.tail.nextIndex) this.#catchUpFacts();
    else this.catchUp();
    return this.readKnown(index, most);
  }

  /** `read`, in a way that leaves the event loop to others: records of more than 1 MiB in slices, and after 2 ms they have a turn. */
  async readInTurns(index: number): Promise<StoredRecord | undefined> {
    const record = this.read(index, LARGE_BYTES);
    const slow = this.slowly(record);
    return slow === undefined ? record : slow;
  }

  /**
   * What is to be awaited for a record that was read with `LARGE_BYTES` as its limit: undefined where nothing is, else the record. It
   * was there when it was asked for, whatever becomes of it meanwhile.
   */
  slowly(record: StoredRecord | undefined): Promise<StoredRecord | undefined> | undefined {
    const { transforms } = this.options;
    if (record === LARGE) return this.#readLarge();
    if (record !== undefined && transforms !== undefined && isInPieces(record))
      return undonePieces(record, transforms, this.turns);
    return this.turns.rest(record?.payload.length ?? 0)?.then(() => record);
  }

  /** Where the record stands for which `read` has just answered `LARGE`, for who reads it piece by piece. */
  takeLarge(): LargeRecord | undefined {
    return this.#reader.takeLarge();
  }

  async #readLarge(): Promise<StoredRecord | undefined> {
    const index = this.#reader.largeIndex;
    let record: StoredRecord | undefined;
    try {
      record = await this.#reader.readLarge();
    } catch {
      // What the disk says is told by the next look.
    }
    // What cannot be had in slices is found, or told, as any other record.
    record ??= this.readKnown(index);
    return record && isInPieces(record) ? undonePieces(record, this.options.transforms, this.turns) : record;
  }

  /** The record as it was handed in, its transforms undone. CODEC where one is missing or fails. */
  plain(record: StoredRecord): StoredRecord {
    return plainRecord(record, this.options.transforms);
  }

  /** For who reads many records in order, beside others who do. */
  run(): RecordRun {
    return this.#reader.run();
  }

  /**
   * The same for what is known to be there, without catching up. With `most`: `LARGE` in place of what has more bytes. In order,
   * where that is the caller's own run.
   */
  readKnown(index: number, most?: number, run?: RecordRun): StoredRecord | undefined {
    if (!this.has(index)) return undefined;
    let damage: unknown;
    try {
      const record = this.#reader.read(index, most, run);
      if (record !== undefined) return record;
    } catch (error) {
      damage = error;
    }
    // Its segment may have gone while we looked: then a fact says so.
    this.catchUp();
    if (!this.has(index)) return undefined;
    damage ??= new CorruptError('a segment is missing', {
      file: this.names.directory,
      position: 0,
      bytes: 0,
      indexes: { from: index, to: index },
    });
    throw describeDiskError(damage, `reading record ${index}`);
  }

  /** The same where the caller's run has it at hand; undefined where that has to look for it, or it is gone by now. */
  readAhead(index: number, run: RecordRun): StoredRecord | undefined {
    return this.has(index) ? this.#reader.ahead(index, run) : undefined;
  }

  /** The same under a lock: without a look, and undefined where it would have to be searched for, or is gone. May throw. */
  readAtOnce(index: number, most: number): StoredRecord | undefined {
    return this.has(index) ? this.#reader.readWithoutSearch(index, most) : undefined;
  }

  /** A record's bytes as long as a segment holds them, gone or not; undefined where none does. CORRUPT where they are damaged. */
  readBytes(index: number): StoredRecord | undefined {
    return index >= 1 && index < this.tail.nextIndex ? this.#reader.read(index) : undefined;
  }

  /** The first index of a record that is there and was written at or after the time, as far as is known; the next one where there is none. */
  indexAt(time: number): number {
    return firstSince(this.files, this.tail, time, {
      present: (from) => this.fates.goneSet.firstAbsent(from),
      timeOf: (index) => this.#timeOf(index),
    });
  }

  #timeOf(index: number): number | undefined {
    try {
      return this.readBytes(index)?.time;
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  /** The time of the last record before the segment that begins at `next`; undefined where that is not known without reading. */
  timeBefore(next: number): number | undefined {
    const first = this.tail.segments.holding(next - 1);
    if (first === undefined || first === this.tail.active) return undefined;
    const file = this.files.data(first);
    return file && readSeal(this.files, file)?.time;
  }

  /** Resolves when every fact that is known here, and the records that facts name, are on the device. */
  syncFacts(): Promise<void> {
    return this.#factSync.all();
  }

  /** The same for who has just decided something; undefined where all is there already. Throws what keeps it from that. */
  syncFactsHere(): Promise<void> | undefined {
    return this.#factSync.allHere();
  }

  /** Resolves when the records that facts name, and the batches that say that records are gone, are on the device. */
  syncRecords(): Promise<void> {
    return this.#factSync.records();
  }

  /** Who waits is told, and nobody reads on what nobody else sees. */
  #patrol(): void {
    if (this.failure.patrol()) this.indexer.changed();
  }

  /** Syncs what was written, frees everything. Idempotent; calls that wait get CLOSED. */
  close(): Promise<void> {
    this.#closing ??= closeEngine(this);
    return this.#closing;
  }

  /** The files of another epoch count now. */
  followTakeover(): void {
    this.files.forgetPaths();
  }

  /** A record that is known does not change; all that can have happened to it is that it is gone. */
  #catchUpFacts(): void {
    this.failure.assertThere();
    try {
      this.#foldFacts();
      this.#seeCarried();
      this.noteChange();
    } catch (error) {
      throw describeDiskError(error, 'looking at the directory');
    }
  }

  #catchUpFiles(): boolean {
    if (this.#closing !== undefined || this.tenure.isTainted) return false;
    this.#foldFacts();
    const { active } = this.tail;
    this.tail.catchUp();
    // The tail may have passed over a segment that went after the facts were folded that say so.
    if (this.tail.active !== active) this.#foldFacts();
    this.#seeCarried();
    this.sweeper.forgetOldest();
    return this.#movedOn();
  }

  /** Following a mark of succession syncs it: where that fails, it is as any failed sync. */
  #foldFacts(): void {
    if (this.tenure.isTainted || this.#isStopped()) this.tenure.resolveSoon();
    if (this.tenure.isTainted) return;
    try {
      this.journal.catchUp();
    } catch (error) {
      throw error instanceof SyncFailure ? this.failure.ofSync(error) : error;
    }
  }

  /** Learns what the log says is gone, where the facts do not say it all. */
  #seeCarried(): void {
    if (!this.carried.isBehind || this.tenure.isTainted) return;
    try {
      this.carried.look();
    } catch (error) {
      throw error instanceof SyncFailure ? this.failure.ofSync(error) : error;
    }
  }

  /** Whether somebody has put up a fence, and nobody has taken over yet. Follows who has. */
  #isStopped(): boolean {
    if (!this.epochs.isFenced()) return false;
    if (!this.epochs.refresh()) return true;
    this.followTakeover();
    return this.epochs.isFenced();
  }

  #movedOn(): boolean {
    const { nextIndex, active } = this.tail;
    const { fact } = this.journal;
    if (nextIndex === this.#seenIndex && fact === this.#seenFact && active === this.#seenSegment)
      return false;
    if (active !== this.#seenSegment) {
      this.sweeper.checkAll();
      this.retention.sealed();
    }
    if (this.#closing === undefined) this.backgroundSync.saw();
    this.#seenIndex = nextIndex;
    this.#seenFact = fact;
    this.#seenSegment = active;
    return true;
  }
}
