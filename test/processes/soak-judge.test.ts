import t from 'tap';
import { type Judgement, judge, type Law } from './soak-judge.js';
import { Ledger } from './soak-ledger.js';

/*
 * The judge of soaks is worth something only if it finds what is wrong: each case is a story, told as the processes note it.
 * Lives: 0 is a producer, 1 and 2 are consumers.
 */
const PRODUCER = 0;
const A = 1;
const B = 2;

type Line = readonly [life: number, line: string];
type Verdict = keyof Omit<Judgement, 'unseen' | 'accounted'>;

interface Story {
  readonly name: string;
  readonly lines: readonly Line[];
  /** Which consumers were killed, and when. */
  readonly killed?: Readonly<Record<number, number>>;
  readonly stops?: readonly { from: number; to: number }[];
  readonly law?: Partial<Law>;
  /** What is found, and how often; nothing else is. */
  readonly found?: Partial<Record<Verdict | 'odd', number>>;
}

const LAW: Law = { leaseMs: 10_000, backWithinMs: 1000, onlyDequeues: false };
/** One message at index 7. */
const one: Line[] = [
  [PRODUCER, 'try 0 1 1'],
  [PRODUCER, 'ok 0 1 7 2'],
];
const claimed = (life: number, call: number, attempt: number, asked: number, got: number): Line[] => [
  [life, `ask ${call} claim 1 ${asked}`],
  [life, `got ${call} ${got} 7 ${attempt} 0-0`],
];
const acked = (life: number, attempt: number, at: number): Line[] => [
  [life, `acking 7 ${attempt}`],
  [life, `acked 7 ${attempt} ${at}`],
];
const dequeued = (life: number, call: number, asked: number, got: number): Line[] => [
  [life, `ask ${call} dequeue 1 ${asked}`],
  [life, `got ${call} ${got} 0 0 0-0`],
];

const stories: Story[] = [
  { name: 'claimed and acknowledged', lines: [...one, ...claimed(A, 1, 1, 3, 4), ...acked(A, 1, 5)] },
  { name: 'dequeued', lines: [...one, ...dequeued(A, 1, 3, 4)] },
  {
    name: 'again, for its holder was killed',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...claimed(B, 1, 2, 3, 20), ...acked(B, 2, 21)],
    killed: { [A]: 10 },
  },
  {
    name: 'again, for it was given back',
    lines: [
      ...one,
      ...claimed(A, 1, 1, 3, 4),
      [A, 'nacking 7 1'],
      ...claimed(B, 1, 2, 5, 6),
      ...acked(B, 2, 7),
    ],
  },
  {
    name: 'again, for its holder closed',
    lines: [
      ...one,
      ...claimed(A, 1, 1, 3, 4),
      [A, 'closing 5'],
      ...claimed(B, 1, 2, 5, 6),
      ...acked(B, 2, 7),
    ],
  },
  {
    name: 'again, for its lease was over',
    lines: [
      ...one,
      ...claimed(A, 1, 1, 3, 4),
      ...claimed(B, 1, 2, 5, 10_004),
      ...acked(B, 2, 10_005),
      [A, 'acking 7 1'],
      [A, 'late 7 1 10006'],
    ],
  },
  {
    name: 'its holder was killed over the acknowledgement',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), [A, 'acking 7 1']],
    killed: { [A]: 10 },
  },
  {
    name: 'its holder was killed in dequeue',
    lines: [...one, [A, 'ask 1 dequeue 3 3']],
    killed: { [A]: 10 },
  },
  { name: 'the producer was killed, and nothing came of it', lines: [[PRODUCER, 'try 0 1 1']] },
  {
    name: 'deleted',
    lines: [...one, [A, 'deleting 7'], [A, 'deleted 7 1 5'], ...claimed(B, 1, 1, 3, 4), ...acked(B, 1, 6)],
  },
  { name: 'lost: nobody had it', lines: one, found: { lost: 1 } },
  {
    name: 'lost: its holder gave it back',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), [A, 'nacking 7 1']],
    found: { lost: 1 },
  },
  {
    name: 'lost: its holder was killed before the acknowledgement',
    lines: [...one, ...claimed(A, 1, 1, 3, 4)],
    killed: { [A]: 10 },
    found: { lost: 1 },
  },
  {
    name: 'lost: more than who was killed in dequeue can have had',
    lines: [
      [PRODUCER, 'try 0 3 1'],
      [PRODUCER, 'ok 0 3 7 2'],
      [A, 'ask 1 dequeue 2 3'],
    ],
    killed: { [A]: 10 },
    found: { lost: 3 },
  },
  {
    name: 'lost: its holder lives, and nobody has it',
    lines: [...one, ...claimed(A, 1, 1, 3, 4)],
    found: { lost: 1 },
  },
  {
    name: 'lost: a deletion that did nothing excuses nothing',
    lines: [...one, [A, 'deleting 7'], [A, 'deleted 7 0 5'], [B, 'deleting 7'], [B, 'spared 7']],
    found: { lost: 1 },
  },
  {
    name: 'invented: never enqueued',
    lines: [...claimed(A, 1, 1, 3, 4), ...acked(A, 1, 5)],
    found: { invented: 1 },
  },
  {
    name: 'invented: after LOCK_LOST',
    lines: [[PRODUCER, 'try 0 1 1'], [PRODUCER, 'lost 0 1'], ...claimed(A, 1, 1, 3, 4), ...acked(A, 1, 5)],
    found: { invented: 1 },
  },
  {
    name: 'an index given twice',
    lines: [
      [PRODUCER, 'try 0 1 1'],
      [PRODUCER, 'try 1 1 1'],
      [PRODUCER, 'ok 0 1 7 2'],
      [PRODUCER, 'ok 1 1 7 2'],
      [A, 'ask 1 dequeue 2 3'],
      [A, 'got 1 4 0 0 0-0 0 0 0-1'],
    ],
    found: { givenTwice: 1 },
  },
  {
    name: 'one message at two indexes',
    lines: [...one, [B, 'saw 8 0-0'], ...dequeued(A, 1, 3, 4)],
    found: { odd: 1 },
  },
  {
    name: 'two hold it',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...claimed(B, 1, 1, 3, 4), ...acked(B, 1, 7)],
    found: { unjustified: 1 },
  },
  {
    name: 'again, though its holder lives',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...claimed(B, 1, 2, 5, 6), ...acked(B, 2, 7)],
    found: { unjustified: 1 },
  },
  {
    name: 'again, and its holder died later',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...claimed(B, 1, 2, 5, 6), ...acked(B, 2, 7)],
    killed: { [A]: 10 },
    found: { unjustified: 1 },
  },
  {
    name: 'again after its acknowledgement',
    lines: [
      ...one,
      ...claimed(A, 1, 1, 3, 4),
      ...acked(A, 1, 5),
      ...claimed(B, 1, 2, 6, 20),
      ...acked(B, 2, 21),
    ],
    killed: { [A]: 10 },
    found: { unjustified: 1 },
  },
  {
    name: 'again too late',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...claimed(B, 1, 2, 3, 1011), ...acked(B, 2, 1012)],
    killed: { [A]: 10 },
    found: { unjustified: 1 },
  },
  {
    name: 'lost: nobody was killed when it must have been taken',
    lines: [
      [PRODUCER, 'try 0 3 1'],
      [PRODUCER, 'ok 0 3 6 2'],
      [A, 'ask 1 claim 1 3'],
      [A, 'got 1 4 6 1 0-0'],
      [A, 'acking 6 1'],
      [A, 'acked 6 1 5'],
      [A, 'ask 2 claim 1 6'],
      [A, 'got 2 7 8 1 0-2'],
      [A, 'acking 8 1'],
      [A, 'acked 8 1 8'],
      [B, 'ask 1 dequeue 1 9'],
    ],
    killed: { [B]: 20 },
    found: { lost: 1 },
  },
  {
    name: 'again late, for somebody was stopped',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...claimed(B, 1, 2, 3, 1011), ...acked(B, 2, 1012)],
    killed: { [A]: 10 },
    stops: [
      { from: 0, to: 11 },
      { from: 5, to: 12 },
    ],
  },
  {
    name: 'dequeued twice',
    lines: [...one, ...dequeued(A, 1, 3, 4), ...dequeued(B, 1, 3, 4)],
    found: { unjustified: 1 },
  },
  {
    name: 'dequeued, though somebody had acknowledged it',
    lines: [...one, ...claimed(A, 1, 1, 3, 4), ...acked(A, 1, 5), ...dequeued(B, 1, 3, 6)],
    found: { unjustified: 1 },
  },
  {
    name: 'had after it was deleted',
    lines: [...one, [A, 'deleting 7'], [A, 'deleted 7 1 5'], ...claimed(B, 1, 1, 6, 7), ...acked(B, 1, 8)],
    found: { unjustified: 1 },
  },
  {
    name: 'deleted and dequeued',
    lines: [...one, [A, 'deleting 7'], [A, 'deleted 7 1 5'], ...dequeued(B, 1, 3, 7)],
    found: { unjustified: 1 },
  },
  {
    name: 'LEASE_LOST too early',
    lines: [
      ...one,
      ...claimed(A, 1, 1, 3, 4),
      [A, 'acking 7 1'],
      [A, 'late 7 1 5'],
      ...claimed(B, 1, 2, 3, 6),
      ...acked(B, 2, 7),
    ],
    found: { unjustified: 1 },
  },
  {
    name: 'attempts that nobody made',
    lines: [...one, ...claimed(A, 1, 3, 3, 4), ...acked(A, 3, 5)],
    found: { unjustified: 1 },
  },
  {
    name: 'enqueued in another order',
    lines: [
      [PRODUCER, 'try 0 1 1'],
      [PRODUCER, 'ok 0 1 8 2'],
      [PRODUCER, 'try 1 1 3'],
      [PRODUCER, 'ok 1 1 7 4'],
      [A, 'ask 1 dequeue 2 5'],
      [A, 'got 1 6 0 0 0-1 0 0 0-0'],
    ],
    found: { disorder: 1 },
  },
  {
    name: 'claimed in another order',
    lines: [
      [PRODUCER, 'try 0 2 1'],
      [PRODUCER, 'ok 0 2 7 2'],
      [A, 'ask 1 claim 1 3'],
      [A, 'got 1 4 8 1 0-1'],
      [B, 'ask 1 claim 1 5'],
      [B, 'got 1 6 7 1 0-0'],
      [A, 'acking 8 1'],
      [A, 'acked 8 1 7'],
      [B, 'acking 7 1'],
      [B, 'acked 7 1 7'],
    ],
    found: { disorder: 1 },
  },
  {
    name: 'dequeued in another order',
    lines: [
      [PRODUCER, 'try 0 2 1'],
      [PRODUCER, 'ok 0 2 7 2'],
      [A, 'ask 1 dequeue 1 3'],
      [A, 'got 1 4 0 0 0-1'],
      [B, 'ask 1 dequeue 1 5'],
      [B, 'got 1 6 0 0 0-0'],
    ],
    law: { onlyDequeues: true },
    found: { disorder: 1 },
  },
  {
    name: 'half a batch of a producer that was killed',
    lines: [[PRODUCER, 'try 0 2 1'], ...claimed(A, 1, 1, 3, 4), ...acked(A, 1, 5)],
    found: { lost: 1 },
  },
  {
    name: 'a batch in pieces',
    lines: [
      [PRODUCER, 'try 0 2 1'],
      [A, 'ask 1 claim 2 3'],
      [A, 'got 1 4 7 1 0-0 9 1 0-1'],
      [A, 'acking 7 1'],
      [A, 'acked 7 1 5'],
      [A, 'acking 9 1'],
      [A, 'acked 9 1 5'],
    ],
    found: { halfBatches: 1 },
  },
  {
    name: 'more than was asked for',
    lines: [
      [PRODUCER, 'try 0 2 1'],
      [PRODUCER, 'ok 0 2 7 2'],
      [A, 'ask 1 dequeue 1 3'],
      [A, 'got 1 4 0 0 0-0 0 0 0-1'],
    ],
    found: { odd: 1 },
  },
  { name: 'anything odd', lines: [[A, 'odd a_message_that_nobody_wrote']], found: { odd: 1 } },
];

for (const { name, lines, killed = {}, stops = [], law = {}, found = {} } of stories) {
  t.test(name, async (t) => {
    const ledger = new Ledger();
    const lives = ['producer', 'A', 'B'].map((one) => ledger.born(one));
    for (const [life, line] of lines) ledger.note(lives[life] ?? ledger.born('nobody'), line.split(' '));
    for (const [life, at] of Object.entries(killed)) {
      const dead = lives[Number(life)];
      if (dead !== undefined) dead.killedAt = at;
    }
    ledger.stops.push(...stops);
    const { unseen: _, accounted: __, ...judgement } = judge(ledger, { ...LAW, ...law });
    const counts = Object.entries({ ...judgement, odd: ledger.problems })
      .filter(([, wrong]) => wrong.length > 0)
      .map(([what, wrong]) => [what, wrong.length]);
    t.same(Object.fromEntries(counts), found, JSON.stringify(judgement));
  });
}
