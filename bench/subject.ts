/**
 * Something that keeps records, and how it is asked to: the library, bare files, and the peers, all driven by the same
 * loops, so that nobody's cell has another definition.
 */

/** Whether a call that returned must survive the process (`written`) or a power cut (`synced`). */
export type Durability = 'written' | 'synced';

export interface Place {
  /** An empty directory, or the one that another process of the same turn opened. */
  readonly directory: string;
  readonly durability: Durability;
  /** What it is opened as; a log keeps what is read. */
  readonly as: 'queue' | 'log';
  /** Other processes put records too. */
  readonly shared?: boolean;
}

/** What a subject gives back at once or later; the loops wait only where there is something to wait for. */
export type Later<T> = Promise<T> | T;

/** A subject opened in a place. What it has no way of doing is left out. */
export interface Opened {
  put?(record: Uint8Array): Later<unknown>;
  /** All of them in one go: a batch, a transaction. */
  putMany?(records: readonly Uint8Array[]): Later<unknown>;
  /** Each by a call of its own, none of which waits for another. */
  putTogether?(records: readonly Uint8Array[]): Promise<unknown>;
  /** Reads all records in order; resolves with how many there were. */
  scan?(): Later<number>;
  /** Reads the record that was the `index`-th to be put, counted from 1. */
  read?(index: number): Later<Uint8Array | undefined>;
  /** Takes the oldest record for good. */
  take?(): Later<Uint8Array | undefined>;
  takeMany?(max: number): Later<readonly Uint8Array[]>;
  /** Takes `count` records, `by` at a time, where that is done by other means than the two above. */
  drain?(by: number, count: number): Promise<number>;
  /** Claims a record and acknowledges it; how many there were. */
  claim?(): Later<number>;
  claimMany?(max: number): Later<number>;
  /** Takes records as they come, up to `by` at a time, until `had` has been told of `count`. */
  follow?(by: number, count: number, had: (record: Uint8Array) => void, ready: () => void): Promise<void>;
  close(): Later<void>;
}

/** A server that was started for a turn. */
export interface Served {
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Its work is done in the calling process, so that the process's CPU time is the whole of it. */
  readonly inProcess: boolean;
  /** Shown beside the others and not judged by, since it does not promise the same. */
  readonly aside?: boolean;
  /** Starts what `open` connects to; everybody who opens the same directory finds it. */
  serve?(place: Place): Promise<Served>;
  open(place: Place): Later<Opened>;
}
