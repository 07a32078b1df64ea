import { basename } from 'node:path';
import t from 'tap';
import { type Damage, familyOf, inflict, pathsOf } from './damage.js';
import { Gauge } from './gauge.js';
import { hitsOf } from './hits.js';
import { Judge } from './judge.js';
import { makeShapes, type Shape } from './shapes.js';

/** One damage in so many is repaired as well. */
const MEND_EVERY = 10;
/** Of the zeros behind what is written so many are enough. */
const ZEROS = 8;

const LONG_MS = 3_600_000;

const gauge = Gauge.begin();
t.teardown(() => gauge.end());
t.setTimeout(LONG_MS);

const bytesOf = ({ machine }: Shape, path: string): Buffer => Buffer.from(machine.bytes(path) ?? []);

/** How far a file is looked at, byte by byte. */
function extent(bytes: Buffer): number {
  let used = bytes.length;
  while (used > 0 && bytes[used - 1] === 0) used -= 1;
  return Math.min(bytes.length, used + ZEROS);
}

const one = (kind: string, path: string, bytes: Uint8Array | undefined): Damage => ({
  kind,
  what: `${basename(path)}: ${kind}`,
  changes: new Map([[path, bytes]]),
});

function* flips(shape: Shape): Generator<Damage> {
  for (const path of pathsOf(shape.machine)) {
    const bytes = bytesOf(shape, path);
    for (let at = 0; at < extent(bytes); at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      yield one(`a bit of byte ${at} is flipped`, path, flipped);
    }
  }
}

function* cuts(shape: Shape): Generator<Damage> {
  for (const path of pathsOf(shape.machine)) {
    const bytes = bytesOf(shape, path);
    for (let at = 0; at < extent(bytes); at++) yield one(`cut at ${at}`, path, bytes.subarray(0, at));
  }
}

function* wholes(shape: Shape): Generator<Damage> {
  const paths = pathsOf(shape.machine);
  for (const path of paths) {
    const bytes = bytesOf(shape, path);
    yield one('missing', path, undefined);
    yield one('zeros', path, Buffer.alloc(bytes.length));
    yield one('longer by zeros', path, Buffer.concat([bytes, Buffer.alloc(300)]));
    yield one('longer by itself', path, Buffer.concat([bytes, bytes]));
    const other = shape.twin.bytes(path);
    if (other !== undefined) yield one("another store's", path, other);
    for (const second of paths) {
      if (second === path || familyOf(second) !== familyOf(path)) continue;
      const kind = `swapped with ${basename(second)}`;
      const changes = new Map([
        [path, bytesOf(shape, second)],
        [second, bytes],
      ]);
      yield { kind, what: `${basename(path)}: ${kind}`, changes };
    }
  }
}

const SHAPES: readonly string[] = ['small', 'small, taken over', 'small, sparse'];

t.test('each byte, each length, each file', async (t) => {
  t.setTimeout(LONG_MS);
  const shapes = await makeShapes();
  for (const name of SHAPES) {
    const shape = shapes.find((one) => one.name === name);
    if (shape === undefined) throw new Error(`no shape ${name}`);
    for (const [what, damages] of [
      ['each byte is flipped', flips],
      ['each file is cut at each length', cuts],
      ['each file is missing, zeros, longer, swapped', wholes],
    ] as const) {
      t.test(`${name}: ${what}`, async (t) => {
        t.setTimeout(LONG_MS);
        const bad: string[] = [];
        let made = 0;
        for (const damage of damages(shape)) {
          const machine = shape.machine.fork(made);
          inflict(machine, damage);
          const judge = new Judge(shape, hitsOf(shape, damage), gauge);
          await judge.judge(machine, { mend: made % MEND_EVERY === 0 || damages === wholes });
          made += 1;
          if (judge.problems.length > 0)
            bad.push(`${damage.what}:\n${judge.problems.slice(0, 4).join('\n')}`);
        }
        t.same(bad.slice(0, 5), [], `${bad.length} of ${made}`);
        t.comment(`${made} damages`);
      });
    }
  }
});
