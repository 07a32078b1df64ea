import type { Entry } from '../mod.js';
import type { Output } from './output.js';
import { inJson, onOneLine, textOf } from './text.js';

/** How records are printed. */
export type RecordForm = 'line' | 'json' | 'data' | 'raw';

export interface RecordOptions {
  readonly json?: boolean;
  readonly dataOnly?: boolean;
  readonly raw?: boolean;
}

export function formOf({ json, dataOnly, raw }: RecordOptions): RecordForm {
  if (json) return 'json';
  if (dataOnly) return 'data';
  return raw ? 'raw' : 'line';
}

export async function printRecord(out: Output, entry: Entry, form: RecordForm): Promise<void> {
  const { index, time, size, headers, data } = entry;
  if (form === 'raw') return out.put(data);
  if (form === 'data') return out.put(Buffer.concat([data, NEWLINE]));
  if (form === 'json')
    return out.json({ index, time: time.toISOString(), size, headers, ...inJson('data', data) });
  const fields = [index, time.toISOString(), size, headersText(headers), dataText(data)];
  return out.line(fields.join('\t'));
}

const NEWLINE = Buffer.from('\n');

const headersText = (headers: Entry['headers']): string =>
  Object.keys(headers).length === 0 ? '-' : onOneLine(JSON.stringify(headers));

/** What is no text is told in hexadecimal digits. */
export function dataText(data: Uint8Array): string {
  const text = textOf(data);
  return text === undefined ? `hex:${Buffer.from(data).toString('hex')}` : onOneLine(text);
}
