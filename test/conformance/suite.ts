import type { Test } from 'tap';
import type { ConformanceEngine } from './engine.js';
import { pending } from './pending.js';
import { Place } from './place.js';

type Body = (t: Test, place: Place) => Promise<void>;

interface Case {
  readonly name: string;
  readonly isTimed: boolean;
  readonly body: Body;
}

/** A part of the contract, as tests that hold for every engine. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** How a suite states its tests: `timed` ones have the time moved. */
export interface Stating {
  (name: string, body: Body): void;
  timed(name: string, body: Body): void;
}

export function suite(name: string, state: (test: Stating) => void): Suite {
  const cases: Case[] = [];
  const test = (of: string, body: Body): void => void cases.push({ name: of, isTimed: false, body });
  state(
    Object.assign(test, {
      timed: (of: string, body: Body): void => void cases.push({ name: of, isTimed: true, body }),
    }),
  );
  return { name, cases };
}

/** Runs the suites; those that are pending only where `CONFORMANCE_PENDING` is set. */
export function runSuites(t: Test, engine: ConformanceEngine, suites: readonly Suite[]): void {
  const unused = new Set(engine.skips.keys());
  for (const { name: of, cases } of suites) {
    const isPending = pending.has(of) && !process.env['CONFORMANCE_PENDING'];
    for (const { name, isTimed, body } of cases) {
      const title = `${of}: ${name}`;
      unused.delete(title);
      const skip = isPending ? 'not in this version yet' : (engine.skips.get(title) ?? false);
      t.test(`${engine.name}, ${title}`, { skip }, async (t) =>
        body(t, new Place(t, engine, await engine.fresh(t), isTimed)),
      );
    }
  }
  t.test(`${engine.name}: what is skipped are tests that there are`, async (t) => t.same([...unused], []));
}
