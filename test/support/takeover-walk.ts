import type { Disk } from '../../src/disk/disk.js';
import type { FileNames } from '../../src/disk/file-names.js';

interface Taken {
  readonly epoch: number;
  readonly next: number;
  readonly segment: { readonly first: number; readonly end: number };
  readonly fact: number;
  readonly journal: { readonly number: number; readonly end: number };
}

/** Whose files count, by the last take-over that was published: as plain as can be. */
export class WalkedTakeovers {
  readonly #all: readonly Taken[];

  constructor(disk: Disk, names: FileNames, listed: readonly string[]) {
    const numbers = listed.flatMap((name) => {
      const parsed = names.parse(name);
      return parsed?.kind === 'takeover' ? [parsed.number] : [];
    });
    const file = numbers.length === 0 ? undefined : disk.open(names.takeover(Math.max(...numbers)), 'read');
    if (file === undefined) this.#all = [];
    else {
      const bytes = Buffer.alloc(file.size());
      file.read(bytes, 0, bytes.length, 0);
      file.close();
      this.#all = (JSON.parse(bytes.toString()) as { takeovers: Taken[] }).takeovers;
    }
  }

  get latestEpoch(): number {
    return this.#all.at(-1)?.epoch ?? 0;
  }

  epochOfSegment(first: number): number {
    return this.#all.filter(({ next }) => next <= first).at(-1)?.epoch ?? 0;
  }

  epochOfJournal(number: number): number {
    return this.#all.filter(({ journal }) => journal.number <= number).at(-1)?.epoch ?? 0;
  }

  cutOfSegment(first: number): { end: number; next: number } | undefined {
    const counts = this.epochOfSegment(first);
    const taken = this.#all.find(
      ({ epoch, segment, next }) => epoch > counts && segment.first === first && next > first,
    );
    return taken && { end: taken.segment.end, next: taken.next };
  }

  cutOfJournal(number: number): number | undefined {
    return this.#all.find(({ journal }) => journal.number === number + 1)?.journal.end;
  }
}
