import { HEADER_BYTES } from '../../src/frame/file-header.js';
import { walkFrames } from '../support/frame-walk.js';
import { type Damage, familyOf, kindOf, pathsOf } from './damage.js';
import type { Shape } from './shapes.js';

/** A record's frame, or rather the batch that it is in. */
interface Stretch {
  readonly index: number;
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** What a damage may cost. */
export interface Hits {
  /** Records of whose frames, or of whose batches, bytes are not what they were; or whose file's header is not. */
  readonly records: ReadonlySet<number>;
  /** Whether facts may be missing: then what was deleted may be back. */
  readonly facts: boolean;
  /** Whether the store need not open: what all else rests on is damaged, or a file stands where another should. */
  readonly opening: boolean;
  /** Whether nothing can be said of the directory, for what says which files count is damaged. */
  readonly identity: boolean;
}

const stretchesOf = new WeakMap<Shape, readonly Stretch[]>();

function stretches(shape: Shape): readonly Stretch[] {
  let known = stretchesOf.get(shape);
  if (known === undefined) {
    known = pathsOf(shape.machine).flatMap((path) =>
      familyOf(path) === 'data' ? stretchesIn(path, Buffer.from(shape.machine.bytes(path) ?? [])) : [],
    );
    stretchesOf.set(shape, known);
  }
  return known;
}

function stretchesIn(path: string, bytes: Buffer): Stretch[] {
  const found: Stretch[] = [];
  if (bytes.length < HEADER_BYTES) return found;
  let pending: number[] = [];
  let from = HEADER_BYTES;
  for (const { head, position } of walkFrames(bytes, HEADER_BYTES).frames) {
    if (head.kind === 'record') pending.push(head.number);
    if (!head.endsBatch) continue;
    const to = position + head.length;
    for (const index of pending) found.push({ index, path, from, to });
    pending = [];
    from = to;
  }
  return found;
}

const isSame = (before: Uint8Array, after: Uint8Array, from: number, to: number): boolean =>
  Buffer.compare(before.subarray(from, to), after.subarray(from, to)) === 0;

export function hitsOf(shape: Shape, { changes }: Damage): Hits {
  const records = new Set<number>();
  let facts = false;
  let opening = false;
  let identity = false;
  for (const [path, after] of changes) {
    const before = shape.machine.bytes(path);
    const kind = kindOf(path);
    if (kind === 'meta' || kind === 'takeover') identity = true;
    if (kind === 'fate') facts = true;
    if (kind === 'fate' || identity) opening = true;
    if (familyOf(path) !== 'data') continue;
    const headerIsHit =
      before === undefined || after === undefined || !isSame(before, after, 0, HEADER_BYTES);
    if (headerIsHit && after !== undefined) opening = true;
    for (const { index, path: at, from, to } of stretches(shape))
      if (
        at === path &&
        (headerIsHit || before === undefined || after === undefined || !isSame(before, after, from, to))
      )
        records.add(index);
  }
  return { records, facts, opening, identity };
}
