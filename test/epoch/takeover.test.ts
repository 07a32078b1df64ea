import t from 'tap';
import { decodeTakeovers, encodeTakeovers } from '../../src/epoch/takeover.js';
import { summedAnew } from '../support/format-line.js';

const storeId = Buffer.from('9f86d081884c7d65', 'hex');
const takeover = {
  epoch: 2,
  next: 4,
  segment: { first: 1, end: 164 },
  fact: 1,
  journal: { number: 2, end: 81 },
};
const whole = encodeTakeovers(storeId, [takeover]);

t.test('a take-over comes back as it was published', async (t) => {
  t.same(decodeTakeovers(whole, storeId, 'f'), [takeover]);
});

t.test('one that was changed is CORRUPT: its cuts decide what counts', async (t) => {
  const beginning = whole.indexOf('"features"');
  for (let at = 0; at < whole.length; at++) {
    const other = Buffer.from(whole);
    other[at] = (other[at] as number) ^ 1;
    const code = at < beginning ? 'UNSUPPORTED_VERSION' : 'CORRUPT';
    t.throws(() => decodeTakeovers(other, storeId, 'f'), { code }, `byte ${at}`);
  }
});

t.test('that of another store, and what is none, is CORRUPT too', async (t) => {
  const other = Buffer.from('9f86d081884c7d66', 'hex');
  t.throws(() => decodeTakeovers(encodeTakeovers(other, [takeover]), storeId, 'f'), { code: 'CORRUPT' });
  const negative = summedAnew(whole.toString().replace('"end":164', '"end":-1'));
  t.throws(() => decodeTakeovers(negative, storeId, 'f'), { code: 'CORRUPT' });
});

t.test('that of a later version is refused', async (t) => {
  for (const [from, to] of [
    ['"version":1', '"version":2'],
    ['"features":[]', '"features":["quorum"]'],
  ] as const) {
    const later = summedAnew(whole.toString().replace(from, to));
    t.throws(() => decodeTakeovers(later, storeId, 'f'), { code: 'UNSUPPORTED_VERSION' });
  }
});
