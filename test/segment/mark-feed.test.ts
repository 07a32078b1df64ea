import t from 'tap';
import { MarkFeed } from '../../src/segment/mark-feed.js';

const MARKS = Buffer.of(3, 1, 5);
const indexesOf = (records: readonly { index: number }[]): number[] => records.map(({ index }) => index);

t.test('it gives away what came, up to an end, once', async (t) => {
  const feed = new MarkFeed();
  for (const index of [3, 5, 8]) feed.saw(index, 1, MARKS);
  t.same(indexesOf(feed.take(6)), [3, 5]);
  t.same(indexesOf(feed.take(6)), []);
  t.same(indexesOf(feed.take(9)), [8]);
});

t.test('what is seen again, or replaced, is there once', async (t) => {
  const feed = new MarkFeed();
  for (const index of [3, 5, 8, 5, 6]) feed.saw(index, 1, MARKS);
  feed.forgetFrom(6);
  t.same(indexesOf(feed.take(99)), [3, 5]);
});

t.test('what is lent is copied', async (t) => {
  const feed = new MarkFeed();
  const bytes = Buffer.from(MARKS);
  feed.saw(1, 1, bytes);
  bytes.fill(0);
  t.same(Buffer.from(feed.take(9)[0]?.marks ?? []), MARKS);
});

t.test('whoever asks for nothing is given no memory, and told from where on all is there', async (t) => {
  const feed = new MarkFeed();
  let kept = 0;
  for (let index = 1; index <= 10_000; index++) feed.saw(index, 1, MARKS);
  const records = indexesOf(feed.take(20_000));
  kept = records.length;
  t.ok(kept <= 4096, `${kept} kept`);
  t.equal(records[0], feed.keptFrom);
  t.equal(records.at(-1), 10_000);
});
