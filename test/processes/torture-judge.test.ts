import t from 'tap';
import { judgeTorture, type TortureEnd, type TortureLife } from './torture-judge.js';
import { originOf, partOf, streamOf } from './torture-records.js';

/* The judge is worth something only if it finds what is wrong: each case is a story, told as the processes note it. */

interface Story {
  readonly name: string;
  /** What each life noted. */
  readonly lives: readonly (readonly string[])[];
  /** Index, kind, life, number, part. */
  readonly there?: readonly (readonly [number, 'part' | 'stream', number, number, number?])[];
  readonly consumers?: TortureEnd['consumers'];
  /** What is found, in this order. */
  readonly wrong?: readonly RegExp[];
  /** Of calls that nobody knows the end of. */
  readonly happened?: number;
  readonly vanished?: number;
}

const two = ['begin 0 2', 'done 0 1 2'];
const bothThere = [
  [1, 'part', 0, 0, 0],
  [2, 'part', 0, 0, 1],
] as const;
const reading = ['consumer mail', 'opening 1', 'got 1 2', 'commit 2'];

const stories: Story[] = [
  { name: 'a transaction that was done', lives: [two], there: bothThere },
  {
    name: 'done, and half of it is missing',
    lives: [two],
    there: [[1, 'part', 0, 0, 0]],
    wrong: [/was not/],
  },
  { name: 'done, and none of it is there', lives: [two], wrong: [/was not/] },
  {
    name: 'done at other indexes',
    lives: [two],
    there: [
      [1, 'part', 0, 0, 0],
      [3, 'part', 0, 0, 1],
    ],
    wrong: [/stands at 3/],
  },
  {
    name: 'done, and torn apart',
    lives: [['begin 0 2', 'done 0 1 3']],
    there: [
      [1, 'part', 0, 0, 0],
      [3, 'part', 0, 0, 1],
    ],
    wrong: [/torn apart/],
  },
  { name: 'open, and all of it there', lives: [['begin 0 2']], there: bothThere, happened: 1 },
  { name: 'open, and none of it there', lives: [['begin 0 2']], vanished: 1 },
  {
    name: 'open, and half of it there',
    lives: [['begin 0 2']],
    there: [[1, 'part', 0, 0, 0]],
    wrong: [/1 of it was done and 1 not/],
    happened: 1,
  },
  {
    name: 'nobody can tell, and it wrote without deleting',
    lives: [[...two, 'begin 1 1 1 2', 'maybe 1']],
    there: [...bothThere, [3, 'part', 0, 1, 0]],
    wrong: [/1 of it was done and 2 not/],
    happened: 1,
  },
  {
    name: 'nobody can tell, and it deleted one of two',
    lives: [[...two, 'begin 1 1 1 2']],
    there: [
      [2, 'part', 0, 0, 1],
      [3, 'part', 0, 1, 0],
    ],
    wrong: [/2 of it was done and 1 not/],
    happened: 1,
  },
  {
    name: 'one that deletes what another one wrote',
    lives: [[...two, 'begin 1 1 1 2', 'done 1 3']],
    there: [[3, 'part', 0, 1, 0]],
  },
  {
    name: 'done, and what it deleted is there',
    lives: [[...two, 'begin 1 1 1', 'done 1 3']],
    there: [...bothThere, [3, 'part', 0, 1, 0]],
    wrong: [/was not/],
  },
  { name: 'LOCK_LOST, and there is nothing', lives: [['begin 0 2', 'lost 0']] },
  {
    name: 'LOCK_LOST, and there it is',
    lives: [['begin 0 2', 'lost 0']],
    there: bothThere,
    wrong: [/LOCK_LOST/],
  },
  { name: 'what nobody wrote', lives: [[]], there: [[1, 'part', 0, 0, 0]], wrong: [/never written/] },
  {
    name: 'the same twice',
    lives: [['begin 0 1', 'done 0 1']],
    there: [
      [1, 'part', 0, 0, 0],
      [2, 'part', 0, 0, 0],
    ],
    wrong: [/twice/, /stands at 2/],
  },
  { name: 'a stream', lives: [['stream 0', 'streamed 0 1']], there: [[1, 'stream', 0, 0]] },
  { name: 'a stream that is gone', lives: [['stream 0', 'streamed 0 1']], wrong: [/is gone/] },
  { name: 'a stream that was deleted', lives: [['stream 0', 'streamed 0 1', 'deleting 0']] },
  {
    name: 'a stream elsewhere',
    lives: [['stream 0', 'streamed 0 1']],
    there: [[2, 'stream', 0, 0]],
    wrong: [/stands at 2/],
  },
  {
    name: 'a stream of a killed one, whole',
    lives: [['stream 0']],
    there: [[1, 'stream', 0, 0]],
    happened: 1,
  },
  { name: 'a stream of a killed one, absent', lives: [['stream 0']], vanished: 1 },
  {
    name: 'a stream that is there after LOCK_LOST',
    lives: [['stream 0', 'lost 0']],
    there: [[1, 'stream', 0, 0]],
    wrong: [/after LOCK_LOST/],
  },
  {
    name: 'a commit that stands',
    lives: [two, [...reading, 'committed 2 5']],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 2 }],
  },
  {
    name: 'a commit that nobody was told of, and that stands',
    lives: [two, reading],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 2 }],
  },
  {
    name: 'a position behind a commit',
    lives: [two, [...reading, 'committed 2 5']],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 1 }],
    wrong: [/mail stands at 1, and 2 was committed/],
  },
  {
    name: 'a consumer that is gone with its commits',
    lives: [two, [...reading, 'committed 2 5']],
    there: bothThere,
    wrong: [/mail stands at 0/],
  },
  {
    name: 'a position that nobody committed',
    lives: [two, ['consumer mail', 'opening 1', 'got 1 2', 'commit 1', 'committed 1 5']],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 2 }],
    wrong: [/nobody committed more/],
  },
  {
    name: 'one that begins again at what was committed',
    lives: [two, [...reading, 'committed 2 5'], ['consumer mail', 'opening 6', 'got 2 2']],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 2 }],
    wrong: [/began at 2, and 2 had been/],
  },
  {
    name: 'one that begins before a commit of another one is acknowledged',
    lives: [two, [...reading, 'committed 2 5'], ['consumer mail', 'opening 4', 'got 1 2']],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 2 }],
  },
  {
    name: 'a record that was passed over',
    lives: [two, ['consumer mail', 'opening 1', 'got 2 2', 'commit 2', 'committed 2 5']],
    there: bothThere,
    consumers: [{ name: 'mail', committed: 2 }],
    wrong: [/passed over 1/],
  },
  {
    name: 'what a process saw',
    lives: [['odd index_2_behind_3', 'verified', 'closing 3']],
    wrong: [/odd index/],
  },
];

for (const { name, lives, there = [], consumers = [], wrong = [], happened = 0, vanished = 0 } of stories)
  t.test(name, async (t) => {
    const heard: TortureLife[] = lives.map((lines, number) => ({
      number,
      notes: lines.map((line) => line.split(' ')),
    }));
    const records = there.map(([index, kind, life, number, part = 0]) => {
      const data = kind === 'part' ? partOf(life, number, part) : streamOf(life, number);
      return { index, origin: originOf(data) };
    });
    const judgement = judgeTorture(heard, { records, consumers });
    t.equal(judgement.wrong.length, wrong.length, judgement.wrong.join('; '));
    for (const [at, one] of wrong.entries()) t.match(judgement.wrong[at], one);
    t.match(judgement.counts, { happened, vanished });
  });

t.test('of what was written no byte may be another', async (t) => {
  const stream = streamOf(3, 9);
  for (const bytes of [partOf(3, 4, 1), stream]) {
    t.ok(originOf(bytes));
    for (const at of [0, 5, 8, bytes.length >> 1, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      t.equal(originOf(other), undefined, `byte ${at}`);
    }
    t.equal(originOf(bytes.subarray(0, -1)), undefined);
    t.equal(originOf(Buffer.concat([bytes, Buffer.from('x')])), undefined);
  }
  t.equal(originOf(Buffer.alloc(0)), undefined);
});
