import { getEventListeners } from 'node:events';
import t from 'tap';
import { onAbort } from '../src/abort.js';

t.test('all are told once, in order, and Node sees one listener', async (t) => {
  const told: number[] = [];
  const { signal, abort } = aborting();
  for (let one = 0; one < 100; one++) onAbort(signal, () => told.push(one));
  t.equal(getEventListeners(signal, 'abort').length, 1);
  abort();
  abort();
  t.same(
    told,
    Array.from({ length: 100 }, (_, one) => one),
  );
  t.equal(getEventListeners(signal, 'abort').length, 0);
});

t.test('who took it back is not told, nor who is taken back meanwhile', async (t) => {
  const told: string[] = [];
  const { signal, abort } = aborting();
  const say = (): void => void told.push('both');
  const takeBack = onAbort(signal, say);
  onAbort(signal, say);
  takeBack();
  takeBack();
  onAbort(signal, () => takeBackLater());
  const takeBackLater = onAbort(signal, () => told.push('later'));
  abort();
  t.same(told, ['both'], 'the same function came twice, and was taken back once');
});

t.test('a signal that nobody listens to any more is let go', async (t) => {
  const told: string[] = [];
  const { signal, abort } = aborting();
  for (let round = 0; round < 3; round++) {
    const takeBacks = [onAbort(signal, () => t.fail('first')), onAbort(signal, () => t.fail('second'))];
    for (const takeBack of takeBacks) takeBack();
    t.equal(getEventListeners(signal, 'abort').length, 0);
  }
  onAbort(signal, () => told.push('afterwards'));
  abort();
  t.same(told, ['afterwards']);
});

t.test('who comes while it aborts is not told, as with Node', async (t) => {
  const told: string[] = [];
  const { signal, abort } = aborting();
  onAbort(signal, () => {
    told.push('first');
    onAbort(signal, () => told.push('too late'));
  });
  abort();
  onAbort(signal, () => told.push('later still'))();
  t.same(told, ['first']);
  t.equal(getEventListeners(signal, 'abort').length, 0);
});

t.test('one that throws keeps no other from being told; what it threw nobody catches', async (t) => {
  const told: string[] = [];
  const { signal, abort } = aborting();
  onAbort(signal, () => {
    throw new Error('of its own');
  });
  onAbort(signal, () => told.push('second'));
  const uncaught = new Promise<Error>((resolve) => {
    const capture = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const listener of capture) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
  abort();
  t.same(told, ['second']);
  t.equal((await uncaught).message, 'of its own');
});

t.test('one signal does not hear of another', async (t) => {
  const first = aborting();
  const second = aborting();
  const told: string[] = [];
  onAbort(first.signal, () => told.push('first'));
  onAbort(second.signal, () => told.push('second'));
  second.abort();
  t.same(told, ['second']);
});

function aborting(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
