import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { publishFile } from '../disk/publish-file.js';
import type { Residence } from '../disk/residence.js';
import { CorruptError } from '../errors.js';
import { highestFence } from './fence.js';
import { decodeTakeovers, encodeTakeovers, type Takeover } from './takeover.js';

/** So many take-overs are remembered although no file needs them, for sleepers that want to know what became of a write. */
const REMEMBERED = 16;
/** Far more than ever is in such a file: what is longer is damaged. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/**
 * Whose files count. A lock made of files can be taken from a holder who only sleeps, and who will write when it wakes. So
 * whoever takes one over begins a new *epoch*, with files of its own; nothing is appended to those of the epoch before,
 * and where they are cut is published for everybody. With locks that the kernel frees there is one epoch, 0.
 *
 * ⚑ The order: the fence is created, then the lock is taken, then the ends are read, then the cuts are published. A writer
 * after its write, and a reader before it believes what it read, look for a fence beyond the epoch they know. None: the
 * bytes were there before any fence, so a take-over counts them. One: what was read counts when the cut says so.
 */
export class Epochs {
  /** The epoch that this opener reads and writes in. */
  current = 0;
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #storeId: Buffer;
  readonly #enabled: boolean;
  readonly #residence: Residence | undefined;
  /** The number of the last take-over known. */
  #number = 0;
  /** The last one that is known to be on the device. */
  #settled = 0;
  #takeovers: readonly Takeover[] = [];

  /** Not `enabled` where no lock can be taken from its holder. */
  constructor(disk: Disk, names: FileNames, storeId: Buffer, enabled: boolean, residence?: Residence) {
    this.#disk = disk;
    this.#names = names;
    this.#storeId = storeId;
    this.#enabled = enabled;
    this.#residence = residence;
    if (enabled) this.refresh();
  }

  /**
   * Throws STORE_FAILED where no file counts any more, for the store was removed, or another one is in its place. To be asked
   * before a name is created or removed: it would be that one's.
   */
  assertHere(): void {
    this.#residence?.assert();
  }

  /** The last take-over known. */
  get latest(): Takeover | undefined {
    return this.#takeovers[this.#takeovers.length - 1];
  }

  /** The file that says whose files count; undefined where no take-over ever was. */
  get path(): string | undefined {
    return this.#number === 0 ? undefined : this.#names.takeover(this.#number);
  }

  /** The epoch whose file the segment that begins at `first` is. */
  ofSegment(first: number): number {
    for (let at = this.#takeovers.length - 1; at >= 0; at--) {
      const takeover = this.#takeovers[at] as Takeover;
      if (takeover.next <= first) return takeover.epoch;
    }
    return 0;
  }

  /**
   * Where a take-over ended a segment, and with what index the log goes on; undefined where none did. The file that counts may
   * not be the one that was cut: where a power cut took all that was in that one, a later take-over begins it anew.
   */
  cutOfSegment(first: number): { readonly end: number; readonly next: number } | undefined {
    const counts = this.ofSegment(first);
    for (const { epoch, segment, next } of this.#takeovers)
      if (epoch > counts && segment.first === first && next > first) return { end: segment.end, next };
    return undefined;
  }

  /** The epoch whose file a journal is. */
  ofJournal(number: number): number {
    for (let at = this.#takeovers.length - 1; at >= 0; at--) {
      const takeover = this.#takeovers[at] as Takeover;
      if (takeover.journal.number <= number) return takeover.epoch;
    }
    return 0;
  }

  /** Where a take-over ended a journal; undefined where none did. It goes on in the next number. */
  cutOfJournal(number: number): number | undefined {
    return this.#takeovers.find((takeover) => takeover.journal.number === number + 1)?.journal.end;
  }

  /** Whether somebody has put up a fence that is not known here, or so many that ours is gone. */
  isFenced(): boolean {
    if (!this.#enabled) return false;
    return (
      this.#disk.exists(this.#names.epoch(this.current + 1)) ||
      !this.#disk.exists(this.#names.epoch(this.current))
    );
  }

  /** The take-over that ended an epoch; undefined where none has, or it is no longer remembered. */
  endOf(epoch: number): Takeover | undefined {
    return this.#takeovers.find((takeover) => takeover.epoch > epoch);
  }

  /** Whether what became of that epoch is remembered. */
  remembers(epoch: number): boolean {
    return epoch === 0
      ? this.#number === this.#takeovers.length
      : this.#takeovers.some((takeover) => takeover.epoch === epoch);
  }

  /** Learns of take-overs by others; true where there was a new one. */
  refresh(): boolean {
    for (;;) {
      const highest = this.#highest();
      if (highest <= this.#number) return false;
      const path = this.#names.takeover(highest);
      const file = this.#disk.open(path, 'read');
      // A still later one may have removed it.
      if (file === undefined) continue;
      try {
        const bytes = Buffer.alloc(Math.min(file.size(), LARGEST_BYTES));
        const length = file.read(bytes, 0, bytes.length, 0);
        this.#takeovers = decodeTakeovers(bytes.subarray(0, length), this.#storeId, path);
      } finally {
        file.close();
      }
      this.#number = highest;
      this.current = this.latest?.epoch ?? 0;
      return true;
    }
  }

  /**
   * CORRUPT where files are there that were begun in an epoch which no take-over names: its take-over is missing, and nobody
   * can tell which files count. One that was about to take over leaves one journal at most, and no segment.
   */
  assertNotMissing(): void {
    if (!this.#enabled) return;
    const latest = this.#latestBegun();
    if (latest <= this.current || (this.refresh() && latest <= this.current)) return;
    throw new CorruptError(`the take-over that began epoch ${latest} is missing`, {
      file: this.#names.takeover(this.#number + 1),
      position: 0,
      bytes: 0,
      remedy: 'Nothing was touched: restore it from a copy',
    });
  }

  /** The highest epoch that is known to have begun by the files that are of it. */
  #latestBegun(): number {
    let latest = 0;
    const journals = new Set<number>();
    for (const name of this.#disk.list(this.#names.directory)) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind !== 'data' && parsed?.kind !== 'entries' && parsed?.kind !== 'fate') continue;
      const { kind, epoch } = parsed;
      if (kind !== 'fate' || journals.has(epoch)) latest = Math.max(latest, epoch);
      else journals.add(epoch);
    }
    return latest;
  }

  /**
   * Under the lock: the fence of the current epoch exists, and where there is any beyond it, the one behind it, which is what
   * is looked for. A power cut may have taken either name.
   */
  ensureFences(): void {
    if (!this.#enabled) return;
    const isPassed = highestFence(this.#disk, this.#names) > this.current;
    this.#disk.create(this.#names.epoch(this.current + (isPassed ? 1 : 0)))?.close();
  }

  /**
   * Under the lock: the last take-over known is on the device, whoever published it: its maker may have died, or failed, before
   * it synced the name.
   */
  settle(): void {
    if (this.#settled === this.#number) return;
    this.#disk.syncDirectoryNow(this.#names.directory);
    this.#settled = this.#number;
  }

  /**
   * Publishes a take-over, on the device when it returns; false where somebody else was first. `lowest` are the first
   * segment and the first journal that are still there: what ended before them is forgotten.
   */
  publish(takeover: Takeover, lowest: { segment: number; journal: number }): boolean {
    const takeovers = [...this.#takeovers, takeover];
    while (takeovers.length > REMEMBERED && isForgettable(takeovers[1], lowest)) takeovers.shift();
    const number = this.#number + 1;
    const bytes = encodeTakeovers(this.#storeId, takeovers);
    if (!publishFile(this.#disk, this.#names, this.#names.takeover(number), bytes)) return false;
    this.#disk.syncDirectoryNow(this.#names.directory);
    this.#number = number;
    this.#settled = number;
    this.#takeovers = takeovers;
    this.current = takeover.epoch;
    this.#forget(takeovers[0]?.epoch ?? 0);
    return true;
  }

  /** The oldest go first: who finds its own fence gone knows that it is fenced. */
  #forget(oldestEpoch: number): void {
    const numbers: { kind: string; number: number }[] = [];
    for (const name of this.#disk.list(this.#names.directory)) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind === 'takeover' && parsed.number < this.#number) numbers.push(parsed);
      if (
        parsed?.kind === 'epoch' &&
        parsed.number < oldestEpoch &&
        parsed.number < this.current - REMEMBERED
      )
        numbers.push(parsed);
    }
    for (const { kind, number } of numbers.sort((a, b) => a.number - b.number))
      this.#disk.unlink(kind === 'epoch' ? this.#names.epoch(number) : this.#names.takeover(number));
  }

  #highest(): number {
    let highest = 0;
    for (const name of this.#disk.list(this.#names.directory)) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind === 'takeover' && parsed.number > highest) highest = parsed.number;
    }
    return highest;
  }
}

/** Whether nothing that is left was begun before this take-over. */
const isForgettable = (second: Takeover | undefined, lowest: { segment: number; journal: number }): boolean =>
  second !== undefined && second.next <= lowest.segment && second.journal.number <= lowest.journal;
