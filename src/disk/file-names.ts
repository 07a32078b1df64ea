import { join } from 'node:path';

/**
 * The one place that knows what the files of a store are called. With prefix `duro`:
 *
 *     duro.meta                        what the directory is
 *     duro.write.lock …                the lock files; they hold nothing
 *     duro.directory.lock/owner.<x>    the lock directory of lock-file mode, and who made it
 *     duro_00000000000000000001.dat    a segment's frames; the number is its first index
 *     duro_00000000000000000001.idx    its entries
 *     duro_00000000000000000001.2.dat  its sparse successor, the second one; `.idx` beside it
 *     duro.hold.consumer.<name>.1.lock held by who has that consumer open; in lock-file mode a directory, as above
 *     duro.hold.member.<name>.1.lock   the same of a member of a group, in the topic's first partition
 *     duro.guard.lock                  a directory, there while a file gets its name without hard links
 *     duro.fate.1                      a journal, numbered
 *     duro.ids.1                       ids of messages that are gone with the segment of that first index
 *     duro.epoch.1                     a fence, in lock-file mode
 *     duro.takeover.1                  how a take-over ended, in lock-file mode
 *     duro.spare                       room for a take-over, in lock-file mode
 *     duro.suspect                     a failed sync left it
 *     duro.cut.<n>                     bytes that recovery set aside
 *     duro.repair.1/                   a directory of bytes that a repair set aside, numbered
 *     duro.spool.<x>                   a large record being written, which becomes a segment; a leftover if its maker died
 *     duro.tmp.<x>                     a file being born; a leftover if its maker died
 *
 * What was begun in a later epoch than 0 has it in its name: `duro_00000000000000000001.e3.dat`, `duro.fate.2.e3`.
 *
 * Names are matched whole: the prefix `t` never matches a file of the prefix `t2`, for neither `_` and 20 digits nor
 * `.` can be mistaken for a letter of a longer prefix.
 */
export class FileNames {
  readonly directory: string;
  readonly prefix: string;

  constructor(directory: string, prefix: string) {
    this.directory = directory;
    this.prefix = prefix;
  }

  meta(): string {
    return this.#dotted('meta');
  }

  lock(name: LockName): string {
    return this.#dotted(`${name}.lock`);
  }

  /** The directory that guards a name being given where there are no hard links. */
  guard(): string {
    return this.#dotted('guard.lock');
  }

  /** Held by an open queue for as long as it lives. */
  slot(number: number): string {
    return this.#dotted(`slot.${number}.lock`);
  }

  /** Held for as long as something of that kind and name is open, by the holder of that number. */
  hold(kind: HoldKind, name: string, number: number): string {
    return this.#dotted(`hold.${kind}.${name}.${number}.lock`);
  }

  /** The directory that lock files are made of; its name ends as those of lock files do, so that no notice is taken of it. */
  lockDirectory(): string {
    return this.#dotted('directory.lock');
  }

  /** The file in a lock directory that says who has it. */
  lockOwner(label: string, directory = this.lockDirectory()): string {
    return join(directory, `owner.${label}`);
  }

  data(firstIndex: number, epoch = 0): string {
    return this.#segment(firstIndex, `${ofEpoch(epoch)}.dat`);
  }

  entries(firstIndex: number, epoch = 0): string {
    return this.#segment(firstIndex, `${ofEpoch(epoch)}.idx`);
  }

  sparseData(firstIndex: number, generation: number): string {
    return this.#segment(firstIndex, `.${generation}.dat`);
  }

  sparseEntries(firstIndex: number, generation: number): string {
    return this.#segment(firstIndex, `.${generation}.idx`);
  }

  fateJournal(number: number, epoch = 0): string {
    return this.#dotted(`fate.${number}${ofEpoch(epoch)}`);
  }

  ids(firstIndex: number): string {
    return this.#dotted(`ids.${firstIndex}`);
  }

  epoch(number: number): string {
    return this.#dotted(`epoch.${number}`);
  }

  takeover(number: number): string {
    return this.#dotted(`takeover.${number}`);
  }

  spare(): string {
    return this.#dotted('spare');
  }

  suspect(): string {
    return this.#dotted('suspect');
  }

  cut(label: string): string {
    return this.#dotted(`cut.${label}`);
  }

  repair(number: number): string {
    return this.#dotted(`repair.${number}`);
  }

  temporary(label: string): string {
    return this.#dotted(`tmp.${label}`);
  }

  spool(label: string): string {
    return this.#dotted(`spool.${label}`);
  }

  /** What a name in the directory is; undefined where it is not of this store. */
  parse(name: string): FileKind | undefined {
    if (!name.startsWith(this.prefix)) return undefined;
    const rest = name.slice(this.prefix.length);
    const segment = /^_([0-9]{20})(?:\.(?:e([1-9][0-9]{0,14})|([1-9][0-9]{0,14})))?\.(dat|idx)$/.exec(rest);
    if (segment) {
      const number = Number(segment[1]);
      if (!Number.isSafeInteger(number) || number < 1) return undefined;
      const isData = segment[4] === 'dat';
      if (segment[3] !== undefined) {
        const kind = isData ? 'sparse-data' : 'sparse-entries';
        return { kind, number, generation: Number(segment[3]) };
      }
      return { kind: isData ? 'data' : 'entries', number, epoch: Number(segment[2] ?? 0) };
    }
    const journal = /^\.fate\.([1-9][0-9]{0,14})(?:\.e([1-9][0-9]{0,14}))?$/.exec(rest);
    if (journal) return { kind: 'fate', number: Number(journal[1]), epoch: Number(journal[2] ?? 0) };
    const numbered = /^\.(epoch|takeover)\.(0|[1-9][0-9]{0,14})$/.exec(rest);
    if (numbered)
      return { kind: numbered[1] === 'epoch' ? 'epoch' : 'takeover', number: Number(numbered[2]) };
    const ids = /^\.ids\.([1-9][0-9]{0,14})$/.exec(rest);
    if (ids) return { kind: 'ids', number: Number(ids[1]) };
    if (
      /^\.(slot\.\d+|arrive|write|write\.turn|fate|fate\.turn|alive|shorten|directory|guard)\.lock$/.test(
        rest,
      )
    )
      return { kind: 'lock' };
    const hold =
      /^\.hold\.(consumer|member)\.([A-Za-z0-9](?:[\w.-]{0,98}[\w-])?)\.(0|[1-9][0-9]{0,14})\.lock$/.exec(
        rest,
      );
    if (hold)
      return {
        kind: 'hold',
        of: hold[1] as HoldKind,
        name: hold[2] as string,
        number: Number(hold[3]),
      };
    if (rest === '.meta') return { kind: 'meta' };
    if (rest === '.suspect') return { kind: 'suspect' };
    if (rest === '.spare') return { kind: 'spare' };
    if (/^\.cut\.[\w-]+$/.test(rest)) return { kind: 'cut' };
    if (/^\.repair\.[1-9][0-9]{0,14}$/.test(rest)) return { kind: 'repair' };
    if (/^\.tmp\.[\w-]+$/.test(rest)) return { kind: 'temporary' };
    if (/^\.spool\.[\w-]+$/.test(rest)) return { kind: 'spool' };
    return undefined;
  }

  #segment(firstIndex: number, rest: string): string {
    return join(this.directory, `${this.prefix}_${digits(firstIndex)}${rest}`);
  }

  #dotted(rest: string): string {
    return join(this.directory, `${this.prefix}.${rest}`);
  }
}

export type LockName = 'arrive' | 'write' | 'write.turn' | 'fate' | 'fate.turn' | 'alive' | 'shorten';

/** What can be held for as long as it is open. */
export type HoldKind = 'consumer' | 'member';

export type FileKind =
  | { readonly kind: 'data' | 'entries' | 'fate'; readonly number: number; readonly epoch: number }
  | { readonly kind: 'sparse-data' | 'sparse-entries'; readonly number: number; readonly generation: number }
  | { readonly kind: 'epoch' | 'takeover' | 'ids'; readonly number: number }
  | { readonly kind: 'hold'; readonly of: HoldKind; readonly name: string; readonly number: number }
  | { readonly kind: 'lock' | 'meta' | 'spare' | 'suspect' | 'cut' | 'repair' | 'temporary' | 'spool' };

/** Twenty digits, so that a listing sorts by number. */
const digits = (number: number): string => String(number).padStart(20, '0');

const ofEpoch = (epoch: number): string => (epoch === 0 ? '' : `.e${epoch}`);
