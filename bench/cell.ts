import type { Figures } from './statistics.js';

/** What one turn of a contestant gave, by the keys of the cell's measures; `cpu` is microseconds of CPU a record. */
export type Readings = Readonly<Record<string, number>>;

/** The library in its default shape, in another one, bare files, another system. */
export type Role = 'ours' | 'variant' | 'control' | 'peer';

export interface Contestant {
  readonly name: string;
  readonly role: Role;
  /** Does the cell's work in an empty directory, on about as many records as are asked for. */
  turn(directory: string, records: number): Promise<Readings>;
}

/** The most that a contestant may take: as a ratio to another one of the same run, or outright. */
export interface Target {
  readonly of: string;
  readonly to?: string;
  readonly atMost: number;
}

export interface Measure {
  readonly key: string;
  /** What distinguishes it where a cell has several. */
  readonly name: string;
  readonly unit: string;
  readonly targets?: readonly Target[];
  /** Whether the library must be ahead of all peers. */
  readonly lead?: boolean;
}

/** One kind of work, and all who do it. */
export interface Cell {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  /** What is done, and what the control does, for who reads the tables. */
  readonly definition: string;
  /** The table that it is a column of, where several cells share one. */
  readonly column?: { readonly table: string; readonly head: string };
  /** How many records a turn has at most; slow contestants get fewer. */
  readonly records: number;
  readonly measures: readonly Measure[];
  readonly contestants: readonly Contestant[];
  /** Rounds, where a turn takes so long that there cannot be as many as elsewhere. */
  readonly rounds?: number;
  /** A turn is as long as it is, whatever number of records it is asked for. */
  readonly fixed?: boolean;
  /** Only measured where it is asked for, by name or with everything else. */
  readonly long?: boolean;
  /** The first contestant has a turn that is forgotten, where nothing else compiles what all of them run. */
  readonly warms?: boolean;
}

export interface ContestantResult {
  readonly name: string;
  readonly role: Role;
  readonly figures: Figures;
  /** The median of the CPU time a record, where the work was done in one process. */
  readonly cpu?: number;
  readonly records: number;
}

export interface Verdict extends Target {
  /** The median of the rounds' own ratios: both halves of a ratio were measured together. */
  readonly reached: number;
  readonly ok: boolean;
}

/** One measure of a cell. */
export interface Result {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly definition: string;
  /** The table that it stands in, and the head of its column where that table has several. */
  readonly table: string;
  readonly column: string;
  readonly unit: string;
  readonly contestants: readonly ContestantResult[];
  readonly verdicts: readonly Verdict[];
  /** Of the peers that were measured, those that the library is not ahead of; absent where that is not asked. */
  readonly behind?: readonly string[];
  /** Those whose turns failed, and why. */
  readonly failures?: readonly string[];
}
