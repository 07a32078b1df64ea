import type { Result } from './cell.js';

export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly fileSystem: string;
}

/** A whole run, as it is written to JSON. */
export interface Report {
  readonly machine: Machine;
  /** Of the clone, with a plus where something was not committed. */
  readonly commit: string;
  readonly date: string;
  readonly rounds: number;
  readonly scale: number;
  readonly minutes: number;
  /** The versions of the peers that were measured. */
  readonly peers: Readonly<Record<string, string>>;
  /** Why the others were not. */
  readonly missing: readonly string[];
  readonly results: readonly Result[];
}
