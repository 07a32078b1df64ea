/** How large pieces of work are that are done in one turn of the event loop. Tests have them small. */
export interface Slices {
  /** What one call writes is written in slices of so many bytes, where it has more. */
  readonly writeBytes: number;
}

export const SLICES: Slices = { writeBytes: 1024 * 1024 };
