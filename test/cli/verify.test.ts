import t from 'tap';
import { openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { damage, durostore, linesOf, noShell, shell } from './command-line.js';

async function three(directory: string): Promise<void> {
  const store = await openStore({ directory });
  await store.writeMany(['one', 'two', 'three'].map((text) => Buffer.from(text)));
  await store.close();
}

t.test('verify: all is well', async (t) => {
  const directory = await temporaryDirectory(t);
  await three(directory);
  const { code, stdout, stderr } = await durostore(['verify', directory]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /^ok: 3 whole records, [0-9]+ bytes, 0 findings\n$/);
  const asJson = await durostore(['verify', directory, '--json']);
  t.equal(asJson.code, 0);
  t.match(JSON.parse(asJson.stdout), { ok: true, records: 3, findings: [] });
});

t.test('verify: damage', async (t) => {
  const directory = await temporaryDirectory(t);
  await three(directory);
  damage(directory, 'two');
  const { code, stdout, stderr } = await durostore(['verify', directory]);
  t.same({ code, stderr }, { code: 1, stderr: '' });
  const [head = '', row = '', blank, verdict] = linesOf(stdout);
  t.same(head.split(/ {2,}/), ['SEVERITY', 'REPAIRED', 'FILE', 'POSITION', 'BYTES', 'RECORDS', 'WHAT']);
  t.same(row.split(/ {2,}/), [
    'damage',
    'no',
    'duro_00000000000000000001.dat',
    '71',
    '39',
    '2',
    'bytes in the midst of whole ones fail their checksums',
  ]);
  t.equal(blank, '');
  t.match(verdict, /^NOT OK: 2 whole records, [0-9]+ bytes, 1 finding$/);

  const asJson = await durostore(['verify', directory, '--json']);
  t.equal(asJson.code, 1);
  t.match(JSON.parse(asJson.stdout), {
    ok: false,
    records: 2,
    findings: [{ severity: 'damage', position: 71, bytes: 39, indexes: { from: 2, to: 2 }, repaired: false }],
  });
});

t.test('verify: while others write', async (t) => {
  const directory = await temporaryDirectory(t);
  await three(directory);
  const store = await openStore({ directory, durability: 'written', maxFileSize: 4096 });
  let writing = true;
  const work = (async () => {
    for (let n = 0; writing; n++) {
      await store.write(Buffer.alloc(n % 300));
      if (n % 2 === 0) await store.deleteFirst();
    }
  })();
  for (let time = 0; time < 2; time++) {
    const { code, stdout, stderr } = await durostore(['verify', directory]);
    t.same({ code, stderr }, { code: 0, stderr: '' }, stdout);
  }
  writing = false;
  await work;
  await store.close();
});

t.test(
  'verify: a reader that goes away changes nothing about what was found',
  { skip: noShell },
  async (t) => {
    const directory = await temporaryDirectory(t);
    await three(directory);
    damage(directory, 'two');
    const { stdout } = await shell(
      t,
      `{ exec 3>&1; { sleep 0.1; durostore verify ${directory}; echo "code $?" >&3; } | true; }`,
    );
    t.equal(stdout, 'code 1\n');
  },
);
