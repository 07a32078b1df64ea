import { inThreads } from './in-threads.js';
import { programs } from './programs.js';

/** Lock files are no part of it: on a disk that takes no new name, there is no lock to be had, and nothing can be done. */
inThreads(
  'full disk',
  programs.filter(({ options }) => options.locking !== 'lockfile'),
  (program) => `the disk is full from each operation on: ${program}`,
  (t, { bad, states }) => t.equal(bad, 0, `${states} states`),
);
