import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Cell, Contestant, Readings } from '../../bench/cell.js';
import { measure } from '../../bench/measure.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Gives these readings, one a turn. */
function scripted(
  name: string,
  role: Contestant['role'],
  values: readonly number[],
  log: string[],
): Contestant {
  let turn = 0;
  return {
    name,
    role,
    async turn(directory): Promise<Readings> {
      if (readdirSync(directory).length > 0) throw new Error('its directory is not empty');
      writeFileSync(join(directory, 'file'), name);
      log.push(name);
      return { each: values[turn++] ?? Number.NaN };
    },
  };
}

const cell = (contestants: readonly Contestant[], fixed = false): Cell => ({
  id: 'X',
  name: 'x',
  group: 'x',
  definition: '',
  records: 100,
  fixed,
  measures: [
    { key: 'each', name: '', unit: 'µs', lead: true, targets: [{ of: 'ours', to: 'raw', atMost: 2 }] },
  ],
  contestants,
});

t.test(
  'everybody has a pilot, warms up, has a turn a round, and leaves nothing to the next one',
  async (t) => {
    const parent = await temporaryDirectory(t);
    const log: string[] = [];
    const contestants = [
      scripted('ours', 'ours', [9, 4, 5, 6], log),
      scripted('raw', 'control', [9, 1, 2, 3], log),
    ];
    await measure(cell(contestants), 3, parent);
    t.same(log.splice(0, 4), ['ours', 'ours', 'raw', 'raw'], 'a pilot, and one to warm up');
    t.same(log, ['ours', 'raw', 'raw', 'ours', 'ours', 'raw'], 'in turns, the order turned round');
    t.same(readdirSync(parent), []);
  },
);

t.test('a ratio is the median of the rounds’ own ratios', async (t) => {
  const parent = await temporaryDirectory(t);
  const contestants = [scripted('ours', 'ours', [12, 4, 3], []), scripted('raw', 'control', [2, 1, 3], [])];
  const [result] = await measure(cell(contestants, true), 3, parent);
  t.same(result?.contestants[0]?.figures, { median: 4, least: 3, most: 12 });
  t.same(result?.verdicts, [{ of: 'ours', to: 'raw', atMost: 2, reached: 4, ok: false }]);
});

t.test('a target is reached at its figure, and missed beyond', async (t) => {
  const parent = await temporaryDirectory(t);
  const reached = async (value: number): Promise<boolean | undefined> => {
    const contestants = [scripted('ours', 'ours', [value], []), scripted('raw', 'control', [1], [])];
    return (await measure(cell(contestants, true), 1, parent))[0]?.verdicts[0]?.ok;
  };
  t.equal(await reached(2), true);
  t.equal(await reached(2.01), false);
});

t.test('only peers that are as fast are told, and who is shown aside is not', async (t) => {
  const parent = await temporaryDirectory(t);
  const contestants = [
    scripted('ours', 'ours', [2], []),
    scripted('raw', 'control', [1], []),
    scripted('slower', 'peer', [2.1], []),
    scripted('level', 'peer', [2], []),
    scripted('faster', 'peer', [1.9], []),
    scripted('other', 'variant', [1], []),
  ];
  const [result] = await measure(cell(contestants, true), 1, parent);
  t.same(result?.behind, ['level', 'faster']);
});

t.test('who fails is left out and named, and the others go on', async (t) => {
  const parent = await temporaryDirectory(t);
  const failing: Contestant = {
    name: 'peer',
    role: 'peer',
    turn: () => Promise.reject(new Error('no server')),
  };
  const contestants = [scripted('ours', 'ours', [1, 1], []), scripted('raw', 'control', [1, 1], []), failing];
  const [result] = await measure(cell(contestants, true), 2, parent);
  t.same(
    result?.contestants.map(({ name }) => name),
    ['ours', 'raw'],
  );
  t.same(result?.failures, ['peer: no server']);
  t.same(result?.behind, []);
  t.notOk(existsSync(join(parent, 'file')));
});
