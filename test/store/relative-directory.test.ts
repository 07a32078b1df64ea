import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('a relative directory means what it meant when the store was opened', async (t) => {
  const [own, other] = [await temporaryDirectory(t), await temporaryDirectory(t)];
  const before = process.cwd();
  t.teardown(() => process.chdir(before));
  process.chdir(own);
  const store = await openStore({ directory: 'store', maxFileSize: 300 });
  process.chdir(other);
  for (let n = 1; n <= 10; n++) t.equal(await store.write(Buffer.from(`record ${n}`)), n);
  await store.close();
  const again = await openStore({ directory: join(own, 'store') });
  t.equal(await again.length(), 10);
  await again.close();
});
