/**
 * Every crash point: each program of programs.ts dies at each of its operations, in the midst of its writes, and the power
 * with it.
 */
import t from 'tap';
import { inThreads } from './in-threads.js';
import { programs } from './programs.js';

/** What this is for: fewer, and something is not looked at any more. */
const LEAST_STATES = 100_000;

let distinct = 0;
let visited = 0;

inThreads(
  'deaths',
  programs,
  (program) => program,
  (t, found) => {
    distinct += found.distinct ?? 0;
    visited += found.visited ?? 0;
    t.equal(found.bad, 0, `${found.distinct} distinct states of ${found.visited}`);
  },
);

t.test('enough was looked at', async (t) => {
  t.comment(`found: ${distinct} distinct crash states, of ${visited} that came up`);
  t.ok(distinct >= LEAST_STATES, `${distinct} distinct crash states, of ${LEAST_STATES} at the least`);
});
