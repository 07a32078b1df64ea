import t from 'tap';
import {
  decideEnd,
  decideHeader,
  decideNext,
  END_ROWS,
  type EndDecision,
  type Ending,
  type FoundEnd,
  type FoundHeader,
  lostBetween,
} from '../../src/segment/recovery-table.js';

/** The last segment, of records 1 to 9, of which five are safe. */
const found: FoundEnd = {
  ending: 'clean',
  first: 1,
  next: 10,
  safe: 5,
  attested: false,
  damaged: false,
  continuesAt: undefined,
  successor: undefined,
  ended: false,
};
const here = { seal: false, goesOnAt: undefined, lost: undefined } as const;
const sealedAt = (goesOnAt: number) => ({ seal: true, goesOnAt, lost: undefined });

const rows: readonly [string, Partial<FoundEnd>, EndDecision][] = [
  ['nothing behind the end', {}, { row: 'end', behind: 'leave', ...here }],
  ['… of a segment without records', { next: 1, safe: 0 }, { row: 'end', behind: 'leave', ...here }],
  ['an unfinished batch', { ending: 'torn' }, { row: 'torn', behind: 'cut', ...here }],
  [
    'bad above what is safe, whole frames behind',
    { ending: 'frames-behind', next: 6 },
    { row: 'torn', behind: 'cut', ...here },
  ],
  [
    'bad at what is safe, whole frames behind',
    { ending: 'frames-behind', next: 5 },
    { row: 'damage', behind: 'pass-over', ...here },
  ],
  [
    'bad above what is safe, frames behind attested',
    { ending: 'frames-behind', next: 6, attested: true },
    { row: 'damage', behind: 'pass-over', ...here },
  ],
  [
    '… in a segment that goes on in a later one',
    { ending: 'frames-behind', next: 5, successor: 20 },
    { row: 'damage', behind: 'pass-over', ...here },
  ],
  [
    '… and of an earlier epoch',
    { ending: 'frames-behind', next: 5, successor: 20, ended: true },
    { row: 'damage', behind: 'pass-over', ...here },
  ],
  ['nothing, after damage', { damaged: true }, { row: 'damaged-before', behind: 'leave', ...sealedAt(10) }],
  [
    'an unfinished batch, after damage',
    { damaged: true, ending: 'torn' },
    { row: 'torn', behind: 'cut', ...sealedAt(10) },
  ],
  [
    'nothing where what is safe should be',
    { next: 4 },
    { row: 'damaged-before', behind: 'leave', ...sealedAt(6) },
  ],
  [
    'bad bytes where what is safe should be',
    { next: 4, ending: 'torn' },
    { row: 'torn', behind: 'cut', ...sealedAt(6) },
  ],
  [
    'damage to no record that has an index: a seal would lead in a circle',
    { next: 1, safe: 0, damaged: true },
    { row: 'end', behind: 'leave', ...here },
  ],
  ['no seal, and a later segment', { successor: 10 }, { row: 'continued', behind: 'leave', ...sealedAt(10) }],
  [
    'half a seal, and a later segment',
    { successor: 10, ending: 'torn' },
    { row: 'continued', behind: 'cut', ...sealedAt(10) },
  ],
  [
    'the segment ends before its successor begins',
    { successor: 20 },
    { row: 'continued', behind: 'leave', ...sealedAt(20), lost: { from: 10, to: 20 } },
  ],
  [
    '… by bad bytes, whole frames behind',
    { successor: 20, ending: 'frames-behind', next: 8 },
    { row: 'continued', behind: 'cut', ...sealedAt(20), lost: { from: 8, to: 20 } },
  ],
  [
    '… and some of what is missing was safe',
    { successor: 20, next: 3 },
    { row: 'continued', behind: 'leave', ...sealedAt(20), lost: { from: 6, to: 20 } },
  ],
  [
    '… or all of it',
    { successor: 20, next: 3, safe: 25 },
    { row: 'continued', behind: 'leave', ...sealedAt(20) },
  ],
  [
    'a seal, and its successor',
    { ending: 'sealed', continuesAt: 10, successor: 10 },
    { row: 'sealed', behind: 'leave', ...here, goesOnAt: 10 },
  ],
  [
    'a seal without its successor',
    { ending: 'sealed', continuesAt: 10 },
    { row: 'sealed', behind: 'leave', ...here, goesOnAt: 10 },
  ],
  [
    'a seal that passes over indexes',
    { ending: 'sealed', continuesAt: 13 },
    { row: 'sealed', behind: 'leave', ...here, goesOnAt: 13, lost: { from: 10, to: 13 } },
  ],
  [
    'a seal whose successor is missing, and later segments',
    { ending: 'sealed', continuesAt: 10, successor: 20 },
    { row: 'sealed', behind: 'leave', ...here, goesOnAt: 20, lost: { from: 10, to: 20 } },
  ],
  [
    'a seal behind damage',
    { ending: 'sealed', continuesAt: 10, damaged: true },
    { row: 'sealed', behind: 'leave', ...here, goesOnAt: 10 },
  ],
  [
    'of an earlier epoch: it ends before its successor begins',
    { ended: true, successor: 20 },
    { row: 'earlier-epoch', behind: 'leave', ...here, goesOnAt: 20, lost: { from: 10, to: 20 } },
  ],
  [
    'of an earlier epoch: an unfinished batch',
    { ended: true, ending: 'torn', successor: 10 },
    { row: 'earlier-epoch', behind: 'leave', ...here, goesOnAt: 10 },
  ],
  [
    'of an earlier epoch: whole frames behind bad bytes',
    { ended: true, ending: 'frames-behind', successor: 20 },
    { row: 'earlier-epoch', behind: 'leave', ...here, goesOnAt: 20, lost: { from: 10, to: 20 } },
  ],
  [
    'ended by a take-over that did not live to begin the next segment',
    { ended: true, continuesAt: 12 },
    { row: 'earlier-epoch', behind: 'leave', ...here, goesOnAt: 12, lost: { from: 10, to: 12 } },
  ],
  [
    'of an earlier epoch, after damage',
    { ended: true, damaged: true, successor: 10 },
    { row: 'earlier-epoch', behind: 'leave', ...here, goesOnAt: 10 },
  ],
];

t.test('every row of the table of ends', async (t) => {
  for (const [name, what, decision] of rows) t.same(decideEnd({ ...found, ...what }), decision, name);
  const named = new Set(rows.map(([, , { row }]) => row));
  t.same([...named].sort(), END_ROWS.map(({ name }) => name).sort(), 'each has its tests');
});

/** All combinations of what may be found, sensible or not. */
function* everything(): Generator<FoundEnd> {
  const endings: readonly Ending[] = ['clean', 'torn', 'frames-behind', 'sealed'];
  const no = undefined;
  for (const ending of endings)
    for (const first of [1, 7])
      for (const next of [first, first + 1, first + 4])
        for (const safe of [0, first - 1, first, first + 1, first + 3, first + 4, first + 9])
          for (const continuesAt of [no, first + 1, next, next + 5])
            for (const successor of [no, first + 1, next + 1, next + 5])
              for (const bits of [0, 1, 2, 3, 4, 5, 6, 7]) {
                const [attested, damaged, ended] = [(bits & 1) > 0, (bits & 2) > 0, (bits & 4) > 0];
                yield { ending, first, next, safe, attested, damaged, continuesAt, successor, ended };
              }
}

t.test('exactly one row applies to whatever is found', async (t) => {
  let count = 0;
  const wrong = new Map<string, FoundEnd>();
  for (const end of everything()) {
    count += 1;
    const matching = END_ROWS.filter((row) => row.found(end)).map(({ name }) => name);
    if (matching.length !== 1) wrong.set(matching.join(' and ') || 'no row', end);
    else if (decideEnd(end).row !== matching[0]) wrong.set(`not decided by ${matching[0]}`, end);
  }
  t.same([...wrong], []);
  t.ok(count > 20_000, `${count} combinations`);
});

t.test('whatever is found', async (t) => {
  const broken = new Map<string, FoundEnd>();
  const holds = (rule: string, end: FoundEnd, kept: boolean): void => {
    if (!kept) broken.set(rule, end);
  };
  for (const end of everything()) {
    const { row, behind, seal, goesOnAt, lost } = decideEnd(end);
    const writes = seal || behind === 'cut';
    holds('nothing is written to what a take-over has ended', end, !(end.ended && writes));
    holds('nothing is written behind a seal', end, !(end.ending === 'sealed' && writes));
    holds('nothing is cut where there is nothing', end, behind !== 'cut' || end.ending !== 'clean');
    holds('bytes go only where something is done about them', end, behind !== 'cut' || row !== 'damage');
    holds(
      'what is whole and safe stays',
      end,
      behind !== 'cut' || !(end.ending === 'frames-behind' && end.next <= end.safe),
    );
    holds('only whole frames are gone on at', end, behind !== 'pass-over' || end.ending === 'frames-behind');
    holds('no seal leads back', end, !seal || (goesOnAt !== undefined && goesOnAt > end.first));
    holds(
      'a seal leads to what is there',
      end,
      !seal || end.successor === undefined || goesOnAt === end.successor,
    );
    const stays = goesOnAt === undefined && behind !== 'pass-over';
    holds('nobody appends before a later segment', end, !(stays && end.successor !== undefined));
    holds('nobody appends to a file with damage', end, !(stays && end.damaged && end.next > end.first));
    holds('what is lost was never safe', end, lost === undefined || lost.from > end.safe);
    holds(
      'what is lost is missing',
      end,
      lost === undefined || (lost.from >= end.next && lost.to === goesOnAt),
    );
    holds('nothing is lost of no range', end, lost === undefined || lost.from < lost.to);
  }
  t.same([...broken], []);
});

t.test('every row of the table of headers', async (t) => {
  const header: FoundHeader = {
    header: 'absent',
    safe: false,
    full: false,
    empty: false,
    place: 'inner',
    ended: false,
  };
  const decide = (what: Partial<FoundHeader>): string => decideHeader({ ...header, ...what });
  for (const ended of [false, true])
    for (const full of [false, true]) t.equal(decide({ header: 'valid', ended, full }), 'leave');
  t.equal(decide({}), 'complete', 'its creator died over it');
  t.equal(decide({ empty: true, place: 'last' }), 'complete');
  t.equal(decide({ full: true, empty: true, place: 'last' }), 'remove');
  t.equal(decide({ full: true, empty: true, place: 'only' }), 'leave');
  t.equal(decide({ full: true, empty: true }), 'full', 'a later segment is to follow it');
  for (const place of ['only', 'last', 'inner'] as const)
    t.equal(decide({ full: true, place }), 'full', 'there are records');
  t.equal(decide({ ended: true }), 'leave');
  t.equal(decide({ ended: true, full: true, empty: true, place: 'last' }), 'leave');
  t.equal(decide({ header: 'foreign' }), 'begin-anew', 'none of it ever was on the device');
  t.equal(decide({ header: 'foreign', safe: true }), 'corrupt');
  t.equal(decide({ header: 'foreign', ended: true }), 'begin-anew', 'it was never part of the log');
  t.equal(decide({ header: 'foreign', ended: true, safe: true }), 'corrupt');
  t.equal(decide({ header: 'foreign', empty: true, place: 'last', full: true }), 'begin-anew');
});

t.test('the next index is beyond every one that a record has or a fact names', async (t) => {
  t.same(decideNext(7, 0), { next: 7, lost: undefined });
  t.same(decideNext(7, 6), { next: 7, lost: undefined });
  t.same(decideNext(7, 7), { next: 8, lost: { from: 7, to: 8 } });
  t.same(decideNext(7, 9), { next: 10, lost: { from: 7, to: 10 } });
});

t.test('what is missing is lost where it was only written, and damage where it was safe', async (t) => {
  t.equal(lostBetween(5, 5, 0), undefined);
  t.same(lostBetween(5, 8, 0), { from: 5, to: 8 });
  t.same(lostBetween(5, 8, 4), { from: 5, to: 8 });
  t.same(lostBetween(5, 8, 6), { from: 7, to: 8 });
  t.equal(lostBetween(5, 8, 7), undefined);
});
