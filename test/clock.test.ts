import t from 'tap';
import { systemClock } from '../src/clock.js';

t.test('a timer beyond what Node takes does not fire at once', async (t) => {
  const order: string[] = [];
  const cancel = systemClock.setTimer(systemClock.monotonic() + 2 ** 32, () => order.push('far'));
  await new Promise<void>((resolve) => {
    const held = setInterval(() => {}, 1000);
    systemClock.setTimer(systemClock.monotonic() + 20, () => {
      order.push('near');
      clearInterval(held);
      resolve();
    });
  });
  cancel();
  t.same(order, ['near']);
});

t.test('a cancelled timer does not fire; a timer never fires early', async (t) => {
  const at = systemClock.monotonic() + 5;
  const cancel = systemClock.setTimer(at, () => t.fail('cancelled'));
  cancel();
  await new Promise<void>((resolve) => {
    const held = setInterval(() => {}, 1000);
    systemClock.setTimer(at + 0.5, () => {
      t.ok(systemClock.monotonic() >= at, 'not before its time');
      clearInterval(held);
      resolve();
    });
  });
});
