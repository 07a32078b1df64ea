import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../../src/mod.js';

/** How sure a caller may be of what it asked for: it was not told, or by which durability. */
type Told = 'nothing' | 'written' | 'synced';

interface Written {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Records of one call: whole or absent. */
  readonly call: number;
  /** Known from the answer, or from seeing it. */
  index: number | undefined;
  told: Told;
  /** The call was refused by a code that says that nothing was written. */
  refused: boolean;
  /** Whether somebody may have removed it, and how sure that is. */
  removal: 'none' | 'asked' | 'written' | 'synced';
  /** The how-manieth removal it was that somebody was told of. */
  removalTold: number;
  /** Somebody else has removed it, too. */
  askedAgain: boolean;
}

/** What named consumers have done, by name, from one fact about them to the next. */
interface Positions {
  readonly at: ReadonlyMap<string, number>;
  told: Told;
}

/** What somebody finds. */
export type Seen = Pick<Entry, 'index' | 'data'>;

/** What a program did and was told: the other side of what the files say. */
export class History {
  #written: Written[] = [];
  #calls = 0;
  /** Records that were to be written and removed together, by their numbers. */
  #together: { readonly written: readonly number[]; readonly removed: readonly number[] }[] = [];
  /** Removals that were told. */
  #removals = 0;
  /** Removals of whatever came first, whose answers have not come. */
  #blind = 0;
  /** The last of those that may be the truth, and those before it. */
  #positions: Positions[] = [{ at: new Map(), told: 'synced' }];
  /** Segments that are kept when the oldest is dropped for room; undefined: none is ever dropped. */
  readonly #kept: number | undefined;

  constructor(kept?: number) {
    this.#kept = kept;
  }

  /** What is told until now. */
  fork(): History {
    const fork = new History(this.#kept);
    fork.#written = this.#written.map((record) => ({ ...record }));
    fork.#calls = this.#calls;
    fork.#together = [...this.#together];
    fork.#blind = this.#blind;
    fork.#removals = this.#removals;
    fork.#positions = this.#positions.map((one) => ({ ...one }));
    return fork;
  }

  /** The same for two that judge alike. */
  digest(): string {
    const told = this.#written.map(
      ({ call, index, told, refused, removal }) => `${call} ${index} ${told} ${refused} ${removal}`,
    );
    const positions = this.#positions.map(({ at, told }) => `${[...at].join(' ')} ${told}`);
    return `${this.#blind}; ${told.join('; ')}; ${positions.join('; ')}`;
  }

  /** Whether there ever was a named consumer. */
  get isAboutConsumers(): boolean {
    return this.#positions.length > 1;
  }

  /** Whether there is a named consumer, as far as its callers know. */
  hasConsumer(name: string): boolean {
    return this.#positions.at(-1)?.at.has(name) === true;
  }

  /** Somebody who has just come sees them there. */
  sawPositions(found: readonly { readonly name: string; readonly committed: number }[]): void {
    this.#positions.push({
      at: new Map(found.map(({ name, committed }) => [name, committed])),
      told: 'written',
    });
  }

  /** A consumer is to be there, or undefined: no more; returns what is to be called when that was told, or refused. */
  positioning(name: string, position: number | undefined): (told: 'written' | 'synced' | 'refused') => void {
    const at = new Map(this.#positions.at(-1)?.at);
    if (position === undefined) at.delete(name);
    else at.set(name, position);
    const positions: Positions = { at, told: 'nothing' };
    this.#positions.push(positions);
    return (told) => {
      if (told === 'refused') this.#positions = this.#positions.filter((one) => one !== positions);
      else positions.told = told;
    };
  }

  /** Records that no consumer wants any more may be let go from now on. */
  lettingGo(): void {
    const positions = this.#positions.at(-1)?.at;
    if (positions === undefined || positions.size === 0) return;
    const least = Math.min(...positions.values());
    for (const record of this.#written)
      if (record.removal === 'none' && (record.index ?? Number.POSITIVE_INFINITY) <= least)
        record.removal = 'asked';
  }

  /** What is wrong with where consumers are after a crash: facts about them stand in one order. */
  judgePositions(
    found: readonly { readonly name: string; readonly committed: number }[],
    after: 'death' | 'cut',
  ): string[] {
    const isSure = ({ told }: Positions): boolean =>
      after === 'death' ? told !== 'nothing' : told === 'synced';
    const line = (all: Iterable<readonly [string, number]>): string => [...all].sort().join(' ');
    const possible = this.#positions.slice(this.#positions.findLastIndex(isSure)).map(({ at }) => line(at));
    const seen = line(found.map(({ name, committed }) => [name, committed] as const));
    return possible.includes(seen)
      ? []
      : [`consumers are at ${seen || 'nothing'}, not ${possible.join(', or ')}`];
  }

  /** New records, of sizes that are given; their bytes tell who they are. */
  writing(sizes: readonly number[]): Uint8Array[] {
    this.#calls += 1;
    return sizes.map((size) => {
      const id = this.#written.length + 1;
      const bytes = Uint8Array.from({ length: Math.max(4, size) }, (_, at) => (id * 31 + at * 7) & 0xff);
      new DataView(bytes.buffer).setUint32(0, id);
      const record = {
        id,
        bytes,
        call: this.#calls,
        index: undefined,
        told: 'nothing',
        refused: false,
      } as const;
      this.#written.push({ ...record, removal: 'none', removalTold: 0, askedAgain: false });
      return bytes;
    });
  }

  /** Synced means a prefix: what has lower indexes is on the device too. */
  wrote(bytes: readonly Uint8Array[], indexes: readonly number[], told: 'written' | 'synced'): void {
    for (const [at, one] of bytes.entries()) {
      const record = this.#of(one);
      record.index = indexes[at];
      record.told = told;
    }
    const last = indexes.at(-1) ?? 0;
    if (told === 'synced')
      for (const record of this.#written)
        if (record.told === 'written' && (record.index ?? Number.POSITIVE_INFINITY) <= last)
          record.told = 'synced';
  }

  /** All of the one and of the other happens, or nothing. */
  together(written: readonly Uint8Array[], removed: readonly Uint8Array[]): void {
    const ids = (all: readonly Uint8Array[]): number[] => all.map((one) => this.#of(one).id);
    this.#together.push({ written: ids(written), removed: ids(removed) });
  }

  refused(bytes: readonly Uint8Array[]): void {
    for (const one of bytes) this.#of(one).refused = true;
  }

  /** Somebody asks for its removal; whether that is the first time. */
  removing(bytes: Uint8Array): boolean {
    const record = this.#of(bytes);
    if (record.removal !== 'none') return false;
    record.removal = 'asked';
    return true;
  }

  /** Its removal was refused by a code that says that nothing was changed. */
  kept(bytes: Uint8Array): void {
    const record = this.#of(bytes);
    if (record.removal === 'asked') record.removal = 'none';
  }

  /** Removals that were told until now: what a synced one that is asked for now brings to the device with it. */
  get removals(): number {
    return this.#removals;
  }

  removed(bytes: Uint8Array, told: 'written' | 'synced', before = this.#removals): void {
    const record = this.#of(bytes);
    if (record.removal === 'written' || record.removal === 'synced')
      throw new Error(`record ${record.id} at ${record.index} was given out twice`);
    // Facts stand in one order too: those before it are on the device with it.
    if (told === 'synced')
      for (const one of this.#written)
        if (one.removal === 'written' && one.removalTold <= before) one.removal = 'synced';
    record.removal = told;
    this.#removals += 1;
    record.removalTold = this.#removals;
    if (told === 'synced' && record.told === 'written') record.told = 'synced';
  }

  /** It was given out; somebody else may have asked for its removal at the same time. */
  givenOut(bytes: Uint8Array, told: 'written' | 'synced', before: number): void {
    const record = this.#of(bytes);
    if (record.removal === 'asked') record.askedAgain = true;
    this.removed(bytes, told, before);
  }

  /** Whether somebody was told that it is gone. */
  isRemoved(bytes: Uint8Array): boolean {
    const { removal } = this.#of(bytes);
    return removal === 'written' || removal === 'synced';
  }

  removedAt(index: number, told: 'written' | 'synced', before = this.#removals): void {
    const record = this.#written.find((one) => one.index === index);
    if (record !== undefined) this.givenOut(record.bytes, told, before);
  }

  /** So many of the first are being removed; returns what is to be called when the answer has come. */
  removingBlindly(most: number): () => void {
    this.#blind += most;
    return () => {
      this.#blind -= most;
    };
  }

  /** What was told until now; returns what is to be called when that is on the device. */
  moment(): () => void {
    const told = this.#written.filter((record) => record.told === 'written');
    const removed = this.#written.filter((record) => record.removal === 'written');
    const positions = this.#positions.filter((one) => one.told === 'written');
    return () => {
      for (const one of positions) one.told = 'synced';
      for (const record of told) record.told = 'synced';
      for (const record of removed) record.removal = 'synced';
    };
  }

  /** A record that is waiting, as far as the callers know; by number from the oldest. */
  present(at: number): { bytes: Uint8Array; index: number } | undefined {
    const there = this.#written.filter((record) => record.index !== undefined && record.removal === 'none');
    const record = there.at(at);
    return record?.index === undefined ? undefined : { bytes: record.bytes, index: record.index };
  }

  /** The records that are waiting below an index, as far as the callers know, all of which are to go. */
  removingBefore(index: number): Uint8Array[] {
    for (const one of this.#written)
      if ((one.index ?? index) < index && one.removal !== 'none') one.askedAgain = true;
    return this.#written
      .filter((one) => one.index !== undefined && one.index < index && one.removal === 'none')
      .map(({ bytes }) => bytes);
  }

  /** The greatest index that must never be given again. */
  highestKept(after: 'death' | 'cut'): number {
    const kept = this.#written.filter(({ told, removal }) =>
      after === 'death' ? told !== 'nothing' : told === 'synced' || removal === 'synced',
    );
    return Math.max(0, ...kept.map(({ index }) => index ?? 0));
  }

  /**
   * What was found after a crash, and judged, is the truth from now on: it stays, and what was not there never comes back. Found after a
   * power cut, it is on the device.
   */
  survived(
    entries: readonly Seen[],
    positions: readonly { readonly name: string; readonly committed: number }[],
    after: 'death' | 'cut',
  ): void {
    const sure = after === 'cut' ? 'synced' : 'written';
    const found = new Map(entries.map(({ index, data }) => [this.#find(data)?.id, index]));
    for (const record of this.#written) {
      const index = found.get(record.id);
      if (index !== undefined) {
        record.index = index;
        if (record.told !== 'synced') record.told = sure;
        record.removal = 'none';
        record.askedAgain = false;
        continue;
      }
      // Of what is lost without a trace the index may be given again.
      if (after === 'cut' && record.told !== 'synced' && record.removal !== 'synced') {
        record.index = undefined;
        record.told = 'nothing';
      }
      if (record.removal !== 'synced') record.removal = sure;
    }
    this.#together = [];
    this.#blind = 0;
    const at = new Map(positions.map(({ name, committed }) => [name, committed]));
    if (this.isAboutConsumers) this.#positions.push({ at, told: sure });
  }

  /** What is wrong with what is there after a crash. */
  judge(entries: readonly Seen[], after: 'death' | 'cut'): string[] {
    const problems: string[] = [];
    const found = new Map<number, number>();
    let previous = 0;
    for (const { index, data } of entries) {
      const record = this.#find(data);
      if (index <= previous) problems.push(`${index} comes after ${previous}`);
      previous = index;
      if (record === undefined || !isDeepStrictEqual(record.bytes, data))
        problems.push(`${index} holds ${data.length} bytes that nobody wrote`);
      else {
        if (found.has(record.id)) problems.push(`record ${record.id} is there twice`);
        found.set(record.id, index);
        if (record.told !== 'nothing' && record.index !== index)
          problems.push(`record ${record.id} was given ${record.index} and is at ${index}`);
        if (record.refused) problems.push(`record ${record.id} is there, though it was refused`);
        if (record.removal === 'synced' || (after === 'death' && record.removal === 'written'))
          problems.push(`record ${record.id} at ${index} is back after its removal (${record.removal})`);
      }
    }
    const absent = this.#written.filter((record) => !found.has(record.id) && record.removal === 'none');
    const wanted = absent.filter(({ told }) => (after === 'death' ? told !== 'nothing' : told === 'synced'));
    const missing = wanted.filter((record) => !this.#mayBeDropped(record, found));
    if (missing.length > this.#blind)
      for (const { id, index, told } of missing)
        problems.push(`record ${id} at ${index} is missing, though ${told}`);
    if (this.#blind === 0)
      for (const { id, call } of absent)
        for (const other of this.#written)
          if (other.call === call && found.has(other.id))
            problems.push(`record ${id} is missing of a batch of which ${other.id} is there`);
    problems.push(...this.#judgeTogether(found, after));
    return problems;
  }

  /** As long as nobody has asked for the removal of what was written, it tells whether the rest happened. */
  #judgeTogether(found: ReadonlyMap<number, number>, after: 'death' | 'cut'): string[] {
    const problems: string[] = [];
    for (const { written, removed } of this.#together) {
      const records = written.map((id) => this.#written[id - 1]);
      const isKnown = records.every((one) => one?.removal === 'none' && !one.refused);
      if (this.#blind > 0 || !isKnown) continue;
      const isTold = records.some((one) => one?.told !== 'nothing');
      const isThere = written.some((id) => found.has(id));
      for (const id of removed) {
        const record = this.#written[id - 1];
        const { told } = record ?? {};
        // Somebody else may have removed it since.
        const isAsked = isTold || record?.removal === 'asked';
        const wasThere = after === 'death' ? told !== 'nothing' : told === 'synced';
        if (isThere && found.has(id))
          problems.push(`${id} is there, and what was written with its removal, too`);
        if (!isThere && !found.has(id) && wasThere && isAsked && record?.askedAgain === false)
          problems.push(`${id} is removed, and what was to be written with that is not there`);
      }
    }
    return problems;
  }

  /** The oldest segments go first: nothing older is there; and where two are kept, there is a newer one. */
  #mayBeDropped({ index = 0 }: Written, found: ReadonlyMap<number, number>): boolean {
    if (this.#kept === undefined) return false;
    for (const other of found.values()) if (other < index) return false;
    if (this.#kept === 1) return true;
    return this.#written.some(
      (one) => (one.index ?? 0) > index && (found.has(one.id) || one.removal !== 'none'),
    );
  }

  #of(bytes: Uint8Array): Written {
    const record = this.#find(bytes);
    if (record === undefined) throw new Error('bytes that nobody wrote were given out');
    return record;
  }

  #find(bytes: Uint8Array): Written | undefined {
    if (bytes.length < 4) return undefined;
    return this.#written[new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) - 1];
  }
}
