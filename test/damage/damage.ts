import { basename, join } from 'node:path';
import type { FileKind } from '../../src/disk/file-names.js';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Random } from '../support/random.js';
import { DIRECTORY, names, type Shape } from './shapes.js';

/** What was done to a directory: paths, and what is there now; undefined: nothing. */
export interface Damage {
  readonly kind: string;
  readonly what: string;
  readonly changes: ReadonlyMap<string, Uint8Array | undefined>;
}

export function inflict(machine: MemoryDisk, { changes }: Damage): void {
  const opener = machine.opener('damage');
  for (const [path, bytes] of changes) {
    if (bytes !== undefined) machine.put(path, bytes);
    else opener.unlink(path);
  }
  opener.syncDirectoryNow(DIRECTORY);
  machine.kill(opener);
}

export const kindOf = (path: string): FileKind['kind'] | undefined => names.parse(basename(path))?.kind;

/** Files that may be taken for each other. */
const FAMILIES: Partial<Record<FileKind['kind'], string>> = {
  data: 'data',
  'sparse-data': 'data',
  entries: 'entries',
  'sparse-entries': 'entries',
};

export const familyOf = (path: string): string => {
  const kind = kindOf(path) ?? 'other';
  return kind === 'other' ? kind : (FAMILIES[kind] ?? kind);
};

const bytesOf = (machine: MemoryDisk, path: string): Buffer => Buffer.from(machine.bytes(path) ?? []);

export const pathsOf = (machine: MemoryDisk): string[] =>
  [...machine.snapshot().keys()].filter((path) => path.startsWith(`${DIRECTORY}/`)).sort();

/** What a kind of damage works on. */
interface Target {
  readonly shape: Shape;
  readonly path: string;
  readonly bytes: Buffer;
  /** How far there is more than zeros. */
  readonly used: number;
  readonly random: Random;
}

type Made = Omit<Damage, 'kind'>;
type Kind = (target: Target) => Made | undefined;

const changed = (path: string, bytes: Uint8Array | undefined, how: string): Made => ({
  what: `${basename(path)}: ${how}`,
  changes: new Map([[path, bytes]]),
});

/** A stretch of a file, more often of what is written than of the zeros behind. */
function stretch({ bytes, used, random }: Target, most: number): { from: number; to: number } {
  const end = random.chance(0.9) && used > 0 ? used : bytes.length;
  const from = random.integer(0, Math.max(0, end - 1));
  return { from, to: Math.min(bytes.length, from + random.integer(1, most)) };
}

function over(target: Target, at: { from: number; to: number }, put: Uint8Array, how: string): Made {
  const bytes = Buffer.from(target.bytes);
  bytes.set(put.subarray(0, at.to - at.from), at.from);
  return changed(target.path, bytes, `${how} from ${at.from} to ${at.to}`);
}

function another({ shape, path, random }: Target): string | undefined {
  const like = pathsOf(shape.machine).filter((one) => one !== path && familyOf(one) === familyOf(path));
  return like.length === 0 ? undefined : random.pick(like);
}

/** Every kind of damage. One that does not apply to a file is passed over. */
export const KINDS: Readonly<Record<string, Kind>> = {
  'a bit is flipped': (target) => {
    if (target.bytes.length === 0) return undefined;
    const { from } = stretch(target, 1);
    const bit = 1 << target.random.integer(0, 7);
    const now = Uint8Array.of((target.bytes[from] ?? 0) ^ bit);
    return over(target, { from, to: from + 1 }, now, `bit ${bit}`);
  },
  noise: (target) => {
    if (target.bytes.length === 0) return undefined;
    const at = stretch(target, 80);
    return over(target, at, target.random.bytes(at.to - at.from), 'noise');
  },
  'a block of zeros': (target) => {
    if (target.bytes.length === 0) return undefined;
    const size = target.random.pick([16, 64, 512]);
    const from = Math.floor(stretch(target, 1).from / size) * size;
    const to = Math.min(target.bytes.length, from + size);
    return over(target, { from, to }, Buffer.alloc(size), 'zeros');
  },
  'what stands elsewhere in the file': (target) => {
    if (target.bytes.length === 0) return undefined;
    const [from, to] = [stretch(target, 200), stretch(target, 1)];
    const put = target.bytes.subarray(from.from, from.to);
    const at = { from: to.from, to: Math.min(target.bytes.length, to.from + put.length) };
    return over(target, at, put, `what stands at ${from.from}`);
  },
  'what stood there in another store': (target) => {
    const other = bytesOf(target.shape.twin, target.path);
    if (target.bytes.length === 0 || other.length === 0) return undefined;
    const at = stretch(target, 200);
    return over(target, at, other.subarray(at.from, at.to), "another store's");
  },
  'it is cut': (target) => {
    if (target.bytes.length === 0) return undefined;
    const { from } = stretch(target, 1);
    return changed(target.path, target.bytes.subarray(0, from), `cut at ${from}`);
  },
  'it is longer': (target) => {
    const { bytes, random, path } = target;
    const more = random.pick([
      Buffer.alloc(random.integer(1, 5000)),
      Buffer.from(random.bytes(random.integer(1, 200))),
      bytes.subarray(0, random.integer(1, 300)),
    ]);
    return changed(path, Buffer.concat([bytes, more]), `${more.length} bytes more`);
  },
  'it is missing': ({ path }) => changed(path, undefined, 'missing'),
  'two are swapped': (target) => {
    const other = another(target);
    if (other === undefined) return undefined;
    const bytes = bytesOf(target.shape.machine, other);
    return {
      what: `${basename(target.path)} and ${basename(other)} are swapped`,
      changes: new Map([
        [target.path, bytes],
        [other, target.bytes],
      ]),
    };
  },
  "it is another's": (target) => {
    const other = another(target);
    if (other === undefined) return undefined;
    return changed(target.path, bytesOf(target.shape.machine, other), `what ${basename(other)} is`);
  },
  "it is another store's": ({ shape, path }) => {
    const other = shape.twin.bytes(path);
    return other && changed(path, other, "another store's");
  },
  'there is one too many': ({ bytes, path, random }) => {
    const number = random.integer(1, 60);
    const name = random.pick([
      names.entries(number),
      names.sparseEntries(number, random.integer(1, 3)),
      names.fateJournal(number + 10),
      names.epoch(random.integer(0, 6)),
      names.suspect(),
      names.spare(),
      names.temporary('dead'),
      names.cut('7-7-7'),
      names.lock('write'),
      names.slot(number),
      join(DIRECTORY, 'duro.else'),
    ]);
    return changed(name, random.chance(0.5) ? bytes : new Uint8Array(0), `a copy of ${basename(path)}`);
  },
};

/** A damage, drawn by chance, that changes something. */
export function draw(shape: Shape, random: Random): Damage {
  const paths = pathsOf(shape.machine);
  const withBytes = paths.filter((path) => bytesOf(shape.machine, path).length > 0);
  for (;;) {
    const path = random.pick(random.chance(0.95) ? withBytes : paths);
    const bytes = bytesOf(shape.machine, path);
    let used = bytes.length;
    while (used > 0 && bytes[used - 1] === 0) used -= 1;
    const kind = random.pick(Object.keys(KINDS));
    const damage = KINDS[kind]?.({ shape, path, bytes, used, random });
    if (damage !== undefined && changesAnything(shape, damage)) return { kind, ...damage };
  }
}

const changesAnything = ({ machine }: Shape, { changes }: Made): boolean =>
  [...changes].some(([path, bytes]) => {
    const before = machine.bytes(path);
    if (before === undefined || bytes === undefined) return before !== bytes;
    return Buffer.compare(before, bytes) !== 0;
  });
