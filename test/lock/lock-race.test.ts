import t from 'tap';
import { race } from './lock-race.js';

const ROUNDS = 1000;
const PROCESSES = 6;

t.test('of six processes that race for a stale lock never two have it', { timeout: 120_000 }, async (t) => {
  const result = await race(t.testdir(), 'guarded', ROUNDS, PROCESSES);
  t.comment(`${result.untaken} rounds in which they were in each other's way, and nobody had it`);
  t.equal(result.overlapping, 0);
  t.equal(result.unfenced, 0, 'and in each a fence was put up');
  t.ok(result.untaken < ROUNDS / 2);
});
