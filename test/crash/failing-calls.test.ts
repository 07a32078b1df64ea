import { inThreads } from './in-threads.js';
import { programs } from './programs.js';

inThreads(
  'failing calls',
  programs,
  (program) => `each call fails once: ${program}`,
  (t, { bad, states, codes = [] }) => {
    t.ok(codes.includes('STORE_FAILED') && codes.includes('DISK_FULL'), codes.join(' '));
    t.equal(bad, 0, `${states} states`);
  },
);
