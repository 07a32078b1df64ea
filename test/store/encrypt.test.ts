import { randomBytes } from 'node:crypto';
import t from 'tap';
import { encrypt } from '../../src/store/encrypt.js';
import { bytes, contents, text } from './records.js';
import { onBothDisks } from './world.js';

const old = { id: '2024', key: randomBytes(32) };
const current = { id: '2025', key: randomBytes(32) };

t.test('each value has a nonce of its own, and says which key it needs', async (t) => {
  const { encode, decode, name } = encrypt(old);
  t.equal(name, 'encrypt');
  const values = Array.from({ length: 100 }, () => Buffer.from(encode(bytes('the same'))));
  t.equal(new Set(values.map((value) => value.toString('hex'))).size, 100);
  const nonces = values.map((value) => value.subarray(5, 17).toString('hex'));
  t.equal(new Set(nonces).size, 100);
  for (const value of values) {
    t.equal(value.length, 1 + 4 + 12 + 16 + 8);
    t.equal(value.subarray(1, 5).toString(), '2024');
    t.notOk(value.includes('same'));
    t.equal(text(decode(value)), 'the same');
  }
  t.same(decode(encode(new Uint8Array())), new Uint8Array());
});

t.test('a byte that is another anywhere is told, whatever it says', async (t) => {
  const { encode, decode } = encrypt([current, old]);
  const value = encode(bytes('worth something'));
  for (let at = 0; at < value.length; at++) {
    const other = Uint8Array.from(value);
    other[at] = (other[at] as number) ^ 1;
    t.throws(() => decode(other), { code: 'CODEC' }, `byte ${at}`);
  }
  for (let length = 0; length < value.length; length++)
    t.throws(() => decode(value.subarray(0, length)), { code: 'CODEC' }, `${length} bytes`);
});

t.test('a key that goes by another name is no key for it', async (t) => {
  const value = encrypt(old).encode(bytes('x'));
  t.throws(() => encrypt({ id: 'other', key: old.key }).decode(value), { code: 'CODEC', message: /'2024'/ });
  const renamed = Buffer.from(value);
  renamed.write('2025', 1);
  const both = encrypt([{ id: '2025', key: old.key }]);
  t.throws(() => both.decode(renamed), { code: 'CODEC' }, 'the id is authenticated, too');
});

t.test('a key alone', async (t) => {
  const key = randomBytes(32);
  const value = encrypt(key).encode(bytes('x'));
  t.equal(text(encrypt([randomBytes(32), key]).decode(value)), 'x');
  t.throws(() => encrypt(randomBytes(32)).decode(value), { code: 'CODEC', message: /not among the keys/ });
});

t.test('wrong keys are INVALID_OPTION, and are not told', async (t) => {
  const secret = 'this is a password, no key';
  for (const wrong of [
    [],
    undefined,
    null,
    secret,
    [secret],
    { key: old.key },
    { id: 'a', key: secret },
    { id: '', key: old.key },
    { id: 'ü', key: old.key },
    { id: 'a', key: randomBytes(31) },
    randomBytes(16),
    [old, { ...current, id: '2024' }],
  ])
    t.throws(() => encrypt(wrong as typeof old), { code: 'INVALID_OPTION' });
  for (const wrong of [
    { id: 'a', key: secret },
    { id: 'a', key: Buffer.from(secret) },
  ])
    try {
      encrypt(wrong as typeof old);
      t.fail('it is no key');
    } catch (error) {
      t.notMatch(String(error), /password/);
    }
});

t.test('a key that its owner overwrites afterwards is still the key', async (t) => {
  const key = randomBytes(32);
  const { encode, decode } = encrypt({ id: 'a', key });
  const value = encode(bytes('x'));
  key.fill(0);
  t.equal(text(decode(value)), 'x');
});

onBothDisks('keys are rotated, and old records stay readable', async (t, world) => {
  const before = await world.openStore({ transforms: [encrypt(old)] });
  await before.write(bytes('with the old'));
  await before.close();
  const store = await world.openStore({ transforms: [encrypt([current, old])] });
  await store.write(bytes('with the new'));
  t.same(await contents(store), [
    [1, 'with the old'],
    [2, 'with the new'],
  ]);
  await store.close();
  const without = await world.openStore({ transforms: [encrypt(current)] });
  t.equal(text(await without.read(2)), 'with the new');
  await t.rejects(without.read(1), { code: 'CODEC', index: 1, message: /'2024'.*not among the keys/ });
});

onBothDisks('a wrong key, and a value that was tampered with: CODEC with the index', async (t, world) => {
  const store = await world.openStore({ transforms: [encrypt(old)] });
  await store.write(bytes('one'));
  const wrong = await world.openStore({ transforms: [encrypt({ id: '2024', key: randomBytes(32) })] });
  await t.rejects(wrong.read(1), { code: 'CODEC', index: 1, message: /'2024' does not fit.*It stays/ });
  const { encode } = encrypt(old);
  const forged = await world.openStore({
    transforms: [
      {
        name: 'encrypt',
        encode: (data) => encode(data).map((byte, at, { length }) => (at === length - 1 ? byte ^ 1 : byte)),
        decode: (data) => data,
      },
    ],
  });
  await forged.write(bytes('two'));
  await t.rejects(store.read(2), { code: 'CODEC', index: 2 });
  t.equal(text(await store.read(1)), 'one');
});
