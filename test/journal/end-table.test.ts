import t from 'tap';
import { decideJournalEnd, type FoundJournalEnd } from '../../src/journal/end-table.js';

const found: FoundJournalEnd = { ending: 'clean', inState: false, fact: 5, safe: 5, first: false };
const decide = (what: Partial<FoundJournalEnd>): string => decideJournalEnd({ ...found, ...what });

t.test("every row of the table of a journal's end", async (t) => {
  for (const first of [false, true]) {
    t.equal(decide({ first }), 'leave');
    t.equal(decide({ first, ending: 'torn' }), 'cut', 'an unfinished fact');
    t.equal(
      decide({ first, ending: 'torn', safe: 6 }),
      'corrupt',
      'a fact that is known to be on the device',
    );
    t.equal(decide({ first, ending: 'frames-behind', safe: 6 }), 'corrupt', 'the same, facts behind it');
    for (const ending of ['clean', 'torn', 'frames-behind'] as const)
      for (const safe of [0, 5, 6])
        t.equal(decide({ first, ending, safe, inState: true }), 'corrupt', 'the state that it begins with');
  }
  t.equal(decide({ first: true, ending: 'frames-behind' }), 'cut', 'pages reach the device in any order');
  t.equal(decide({ first: false, ending: 'frames-behind' }), 'corrupt', 'while others live, none was lost');
});
