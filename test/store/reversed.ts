import type { Transform } from '../../src/store/transforms.js';

/** A transform that turns bytes round, in place of one that is hard to look through. */
export function reversed(name = 'reversed'): Transform {
  const turn = (data: Uint8Array): Uint8Array => Uint8Array.from(data).reverse();
  return { name, encode: turn, decode: turn };
}

/** One that puts a letter before what it gets, and wants to see it again. */
export function lettered(name: string, letter: string): Transform {
  const code = letter.charCodeAt(0);
  return {
    name,
    encode: (data) => Buffer.concat([Buffer.of(code), data]),
    decode(data) {
      if (data[0] !== code) throw new Error(`it does not begin with ${letter}`);
      return data.slice(1);
    },
  };
}
