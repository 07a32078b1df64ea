import t from 'tap';
import { MAX_UINT48, readUint48, writeUint48 } from '../../src/frame/uint48.js';

t.test('numbers of six bytes are those of Buffer, at every length', (t) => {
  const powers = Array.from({ length: 48 }, (_, bits) => 2 ** bits);
  const numbers = [0, ...powers, ...powers.map((power) => power - 1), 2 ** 32 + 2 ** 31 + 5, MAX_UINT48];
  for (const number of numbers) {
    const ours = Buffer.alloc(8, 0xaa);
    const theirs = Buffer.alloc(8, 0xaa);
    writeUint48(ours, number, 1);
    theirs.writeUIntLE(number, 1, 6);
    t.same(ours, theirs, `${number} written`);
    t.equal(readUint48(ours, 1), number, `${number} read`);
  }
  t.end();
});
