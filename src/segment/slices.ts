/** How large pieces of work are that are done in one turn of the event loop. Tests have them small. */
export interface Slices {
  /** A larger record is copied and summed in slices of so many bytes, and one turn writes about twice as many. */
  readonly writeBytes: number;
}

export const SLICES: Slices = { writeBytes: 1024 * 1024 };
