/**
 * One process works, and others do what they do in the midst of its operations, where a scheduler says so; and at some
 * moments everything stops. Plans are random, and one that fails is shrunk to the least that does.
 */
import fc from 'fast-check';
import t from 'tap';
import { random } from '../support/random.js';
import { Actor, machineFor, type Options, SHORT_JOURNALS } from './actor.js';
import { CUTS } from './explore.js';
import { History } from './history.js';
import { judge } from './judge.js';
import { Recorder, torn } from './moments.js';
import { DEEDS, Neighbour } from './neighbour.js';
import { States } from './states.js';

const PLANS = 1200;

const size = fc.integer({ min: 4, max: 100 });
const durability = fc.constantFrom('synced', 'written');
const STEP = {
  enqueue: (actor: Actor, size: number) => actor.enqueue(size),
  'enqueue, written': (actor: Actor, size: number) => actor.enqueue(size, 'written'),
  enqueueMany: (actor: Actor, size: number) => actor.enqueueMany([10, Math.ceil(size / 4), 10]),
  dequeue: (actor: Actor) => actor.dequeue(),
  'dequeue two': (actor: Actor) => actor.dequeueMany(2),
  claim: (actor: Actor) => actor.claim(),
  ack: (actor: Actor) => actor.ack(),
  nack: (actor: Actor) => actor.nack(),
  delete: (actor: Actor) => actor.delete(1),
  // Everything would be what others write meanwhile too.
  prune: (actor: Actor) => actor.prune(2, false),
  sync: (actor: Actor) => actor.sync(),
  'close, open': async (actor: Actor) => {
    await actor.close();
    await actor.open();
  },
  'enqueue and dequeue at once': async (actor: Actor, size: number) => {
    await Promise.all([actor.enqueue(size), actor.dequeue()]);
  },
} as const;

const plans = fc.record({
  options: fc.record({
    durability,
    maxFileSize: fc.constantFrom(4096, 512, 320),
    limits: fc.constantFrom(undefined, SHORT_JOURNALS),
  }),
  steps: fc.array(fc.tuple(fc.constantFrom(...(Object.keys(STEP) as (keyof typeof STEP)[])), size), {
    minLength: 1,
    maxLength: 12,
  }),
  /** At its how-manieth operation who does what, and dies at which of its own. */
  turns: fc.array(
    fc.record({
      at: fc.nat(200),
      who: fc.constantFrom<0 | 1>(0, 1),
      deed: fc.constantFrom(...DEEDS),
      dies: fc.option(fc.integer({ min: 1, max: 8 }), { freq: 6, nil: undefined }),
    }),
    { maxLength: 8 },
  ),
  crashes: fc.array(
    fc.record({
      at: fc.nat(1000),
      tear: fc.nat(150),
      cut: fc.option(fc.constantFrom(...CUTS), { freq: 3, nil: undefined }),
      seed: fc.nat(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

async function follow(
  plan: typeof plans extends fc.Arbitrary<infer T> ? T : never,
  states: States,
): Promise<string[]> {
  const options = plan.options as Options;
  const machine = machineFor(options);
  const history = new History();
  const actor = new Actor(machine.opener('a'), history, options);
  await actor.open();
  const others = [
    await Neighbour.arrive(machine.opener('b'), history, options),
    await Neighbour.arrive(machine.opener('c'), history, options),
  ] as const;
  const recorder = new Recorder(machine, history);
  const first = machine.operations;
  const dying = new Map<string, number>();
  machine.onOperation = (operation) => {
    const { opener } = operation;
    const left = dying.get(opener);
    if (left !== undefined) {
      dying.set(opener, left - 1);
      if (left === 1) return 'die';
    }
    recorder.before(operation);
    for (const { at, who, deed, dies } of plan.turns) {
      if (operation.n !== first + at || others[who].disk.name === opener) continue;
      if (dies !== undefined) dying.set(others[who].disk.name, dies);
      others[who].does(deed);
      dying.delete(others[who].disk.name);
    }
    return undefined;
  };
  for (const [step, size] of plan.steps) await STEP[step](actor, size);
  for (const other of others) other.does('look');
  const moments = recorder.end();
  machine.onOperation = undefined;
  const problems = others.flatMap((other) => other.problems);
  for (const { at, tear, cut, seed } of plan.crashes) {
    const moment = moments[at % moments.length];
    if (moment === undefined) continue;
    const bytes = moment.operation?.write?.bytes.length ?? 0;
    const state = (bytes > 1 ? torn(moment, 1 + (tear % (bytes - 1))) : undefined) ?? moment.machine.fork(1);
    if (cut !== undefined) state.powerCut({ ...cut, seed });
    const after = cut === undefined ? 'death' : 'cut';
    if (states.add(state, moment.history, after))
      problems.push(...(await judge(state, moment.history, options, after)));
  }
  for (const other of others) await other.close();
  await actor.close();
  return problems;
}

t.test('two and three openers, in the midst of each other, and crashes', async (t) => {
  const numbers = random(t);
  const states = new States();
  const outcome = await fc.check(
    fc.asyncProperty(plans, async (plan) => {
      const problems = await follow(plan, states);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    { seed: numbers.seed | 0, numRuns: PLANS },
  );
  t.comment(`found: ${states.distinct} distinct crash states, of ${outcome.numRuns} plans`);
  t.notOk(outcome.failed, fc.defaultReportMessage(outcome) ?? 'every plan', { found: outcome.errorInstance });
});
