/** What `verify` or `repair` found in a directory. */
export interface Report {
  /** Nothing was found but notes, and what a repair has accounted for. */
  ok: boolean;
  /** Records that are whole and that no fact calls gone. */
  records: number;
  /** Bytes of the frames, of records and of facts, that were read and are whole. */
  bytes: number;
  findings: readonly Finding[];
}

export interface Finding {
  /** Path of the file, or of the one that is missing. */
  file: string;
  /** Byte position in it. */
  position: number;
  /** How many bytes it is about. */
  bytes: number;
  /** The records that it is about, both inclusive, where there are some. */
  indexes: { from: number; to: number } | undefined;
  what: string;
  /**
   * `'note'`: the next opener sees to it, or nobody needs to. `'damage'`: bytes or files are not what was written.
   * `'loss'`: records that were only written, not synced, are not there.
   */
  severity: Severity;
  /** A repair, or an opener, has accounted for it: nothing is left to do. */
  repaired: boolean;
}

export type Severity = 'note' | 'damage' | 'loss';

/** Indexes from `from` up to but not including `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Whether nothing is left to do about the findings. */
export const isOk = (findings: readonly Finding[]): boolean =>
  findings.every(({ severity, repaired }) => severity === 'note' || repaired);

/** Puts findings together. */
export class Findings {
  readonly all: Finding[] = [];

  note(file: string, what: string, spot: Spot = {}): void {
    this.add('note', file, what, spot);
  }

  add(severity: Severity, file: string, what: string, spot: Spot = {}): void {
    const { position = 0, bytes = 0, range } = spot;
    const indexes = range === undefined || range.to <= range.from ? undefined : inclusive(range);
    this.all.push({ file, position, bytes, indexes, what, severity, repaired: false });
  }

  /** A loss that a fact tells of. */
  accounted(file: string, what: string, range: Range): void {
    const indexes = inclusive(range);
    this.all.push({ file, position: 0, bytes: 0, indexes, what, severity: 'loss', repaired: true });
  }
}

export interface Spot {
  readonly position?: number;
  readonly bytes?: number;
  readonly range?: Range | undefined;
}

const inclusive = ({ from, to }: Range): { from: number; to: number } => ({ from, to: to - 1 });
