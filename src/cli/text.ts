const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text, without loss; undefined where they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** On one line, and without what a terminal would obey. */
export const onOneLine = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped);

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (character: string): string =>
  SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Bytes as a part of a JSON document: `name` has them where they are text, else `base64`. */
export function inJson(name: string, bytes: Uint8Array): Record<string, string> {
  const text = textOf(bytes);
  return text === undefined
    ? { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') }
    : { [name]: text };
}
