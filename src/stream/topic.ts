import type { Disk, DiskFile } from '../disk/disk.js';
import { DurostoreError } from '../errors.js';
import type { Store } from '../store/contract.js';
import { nameOption } from '../store/names.js';
import { invalid, type ResolvedStoreOptions, wholeNumber } from '../store/options.js';
import type { AppendOptions, GroupMember, Topic } from './contract.js';
import { LivingMember } from './group-member.js';
import { openPartition, type Partition } from './partition.js';
import { partitionOfKey } from './partition-of-key.js';
import type { TopicMeta } from './topic-meta.js';
import { partitionDirectory } from './topic-names.js';

/** A topic that is open: its partitions, as they are asked for, and the members of groups that joined here. */
export class OpenTopic implements Topic {
  readonly name: string;
  readonly partitions: number;
  readonly #disk: Disk;
  readonly #options: ResolvedStoreOptions;
  readonly #directory: string;
  readonly #label: string;
  readonly #open = new Map<number, Promise<Partition>>();
  readonly #members = new Set<LivingMember>();
  /** Says to who would remove the topic that it is open. */
  readonly #lock: DiskFile | 'none';
  readonly #isThere: () => boolean;
  /** The partition of the next record without a key. Not every opener begins with the first. */
  #next: number;
  #closed: Promise<void> | undefined;

  constructor(
    disk: Disk,
    options: ResolvedStoreOptions,
    directory: string,
    name: string,
    { partitions, label }: TopicMeta,
    lock: DiskFile | 'none',
    isThere: () => boolean,
  ) {
    this.#lock = lock;
    this.#isThere = isThere;
    this.name = name;
    this.partitions = partitions;
    this.#disk = disk;
    this.#options = options;
    this.#directory = directory;
    this.#label = label;
    this.#next = Math.floor(Math.random() * partitions);
  }

  async append(data: Uint8Array, options?: AppendOptions): Promise<{ partition: number; index: number }> {
    const { key, rest } = appendOptions(options);
    const partition = key === undefined ? this.#nextInTurn() : partitionOfKey(key, this.partitions);
    const { store } = await this.#partition(partition);
    return { partition, index: await store.write(data, rest) };
  }

  async partition(number: number): Promise<Store> {
    if (number === undefined) throw invalid('number', 'a whole number', number);
    const { store } = await this.#partition(wholeNumber('number', number, 0, 0, this.partitions - 1));
    return store;
  }

  async group(name: string): Promise<GroupMember> {
    nameOption('name', name);
    const all = Array.from({ length: this.partitions }, (_, number) => this.#partition(number));
    // Each is waited for, so that none is open in the background when the first failure is told.
    await Promise.allSettled(all);
    const partitions = await Promise.all(all);
    this.#assertOpen();
    const member = await LivingMember.join(name, partitions, (one) => this.#members.delete(one));
    if (this.#closed !== undefined) await member.close();
    else this.#members.add(member);
    this.#assertOpen();
    return member;
  }

  /** Closes everything of it that is open. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.close()));
    const open = await Promise.allSettled([...this.#open.values()]);
    const closed = await Promise.allSettled(
      open.map((one) => (one.status === 'fulfilled' ? one.value.engine.close() : undefined)),
    );
    if (this.#lock !== 'none') this.#lock.close();
    for (const one of closed) if (one.status === 'rejected') throw one.reason;
  }

  #nextInTurn(): number {
    const partition = this.#next;
    this.#next = (partition + 1) % this.partitions;
    return partition;
  }

  /** The same for everybody here. */
  #partition(number: number): Promise<Partition> {
    const open = this.#open.get(number);
    if (open !== undefined) return open;
    try {
      this.#assertOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    const opening = this.#openPartition(number);
    this.#open.set(number, opening);
    opening.catch(() => this.#open.delete(number));
    return opening;
  }

  /** ⚑ That the topic is there is looked for behind the opening, which makes what is missing: also directories that a removal took away. */
  async #openPartition(number: number): Promise<Partition> {
    const directory = partitionDirectory(this.#directory, this.#label, number);
    const partition = await openPartition(this.#disk, { ...this.#options, directory }, number);
    if (this.#isThere()) return partition;
    await partition.engine.close();
    throw new DurostoreError(
      'CLOSED',
      `the topic '${this.name}' was removed: open it again to make a new one`,
    );
  }

  #assertOpen(): void {
    if (this.#closed === undefined) return;
    throw new DurostoreError('CLOSED', `the topic '${this.name}' is closed here: open its log again`);
  }
}

/** The key, and what is the store's to check. */
function appendOptions(options: AppendOptions | undefined): {
  key: string | undefined;
  rest: Omit<AppendOptions, 'key'> | undefined;
} {
  if (options === undefined) return { key: undefined, rest: undefined };
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  const { key, ...rest } = options;
  if (key !== undefined && (typeof key !== 'string' || key === ''))
    throw invalid('key', 'text, not empty', key);
  return { key, rest };
}
