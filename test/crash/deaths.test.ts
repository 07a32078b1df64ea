import t from 'tap';
import { random } from '../support/random.js';
import { exploreDeaths } from './explore.js';
import { programs } from './programs.js';

for (const program of programs) {
  t.test(program.name, async (t) => {
    t.comment(`${await exploreDeaths(t, program, random(t))} states`);
  });
}
