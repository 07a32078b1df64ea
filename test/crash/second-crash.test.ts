import { inThreads } from './in-threads.js';
import { programs } from './programs.js';

inThreads(
  'second crash',
  programs,
  (program) => `a second crash while the first is mended: ${program}`,
  (t, { bad, distinct, visited }) => t.equal(bad, 0, `${distinct} distinct states of ${visited}`),
);
