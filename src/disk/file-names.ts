import { join } from 'node:path';

/**
 * The one place that knows what the files of a store are called. With prefix `duro`:
 *
 *     duro.meta                        what the directory is
 *     duro.write.lock …                the lock files; they hold nothing
 *     duro_00000000000000000001.dat    a segment's frames; the number is its first index
 *     duro_00000000000000000001.idx    its entries
 *     duro.fate.1                      a journal, numbered
 *     duro.suspect                     a failed sync left it
 *     duro.cut.<n>                     bytes that recovery set aside
 *     duro.tmp.<x>                     a file being born; a leftover if its maker died
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

  /** Held by an open queue for as long as it lives. */
  slot(number: number): string {
    return this.#dotted(`slot.${number}.lock`);
  }

  data(firstIndex: number): string {
    return join(this.directory, `${this.prefix}_${digits(firstIndex)}.dat`);
  }

  entries(firstIndex: number): string {
    return join(this.directory, `${this.prefix}_${digits(firstIndex)}.idx`);
  }

  fateJournal(number: number): string {
    return this.#dotted(`fate.${number}`);
  }

  suspect(): string {
    return this.#dotted('suspect');
  }

  cut(label: string): string {
    return this.#dotted(`cut.${label}`);
  }

  temporary(label: string): string {
    return this.#dotted(`tmp.${label}`);
  }

  /** What a name in the directory is; undefined where it is not of this store. */
  parse(name: string): FileKind | undefined {
    if (!name.startsWith(this.prefix)) return undefined;
    const rest = name.slice(this.prefix.length);
    const segment = /^_([0-9]{20})\.(dat|idx)$/.exec(rest);
    if (segment) {
      const firstIndex = Number(segment[1]);
      if (!Number.isSafeInteger(firstIndex) || firstIndex < 1) return undefined;
      return { kind: segment[2] === 'dat' ? 'data' : 'entries', number: firstIndex };
    }
    const journal = /^\.fate\.([1-9][0-9]{0,14})$/.exec(rest);
    if (journal) return { kind: 'fate', number: Number(journal[1]) };
    if (/^\.(slot\.\d+|arrive|write|write\.turn|fate|fate\.turn|alive|shorten)\.lock$/.test(rest))
      return { kind: 'lock' };
    if (rest === '.meta') return { kind: 'meta' };
    if (rest === '.suspect') return { kind: 'suspect' };
    if (/^\.cut\.[\w-]+$/.test(rest)) return { kind: 'cut' };
    if (/^\.tmp\.[\w-]+$/.test(rest)) return { kind: 'temporary' };
    return undefined;
  }

  #dotted(rest: string): string {
    return join(this.directory, `${this.prefix}.${rest}`);
  }
}

export type LockName = 'arrive' | 'write' | 'write.turn' | 'fate' | 'fate.turn' | 'alive' | 'shorten';

export type FileKind =
  | { readonly kind: 'data' | 'entries' | 'fate'; readonly number: number }
  | { readonly kind: 'lock' | 'meta' | 'suspect' | 'cut' | 'temporary' };

/** Twenty digits, so that a listing sorts by number. */
const digits = (number: number): string => String(number).padStart(20, '0');
