import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import type { SchemaResult, StandardSchemaV1 } from '../../src/mod.js';

export interface Order {
  readonly id: number;
  readonly lines: readonly { readonly article: string; readonly count: number }[];
  readonly note: string;
}

/** The same by three makers: `id` is coerced from text, `note` has a default. */
export const orderByZod = z.object({
  id: z.coerce.number().int(),
  lines: z.array(z.object({ article: z.string(), count: z.number().positive() })),
  note: z.string().default(''),
});

export const orderByValibot = v.object({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.integer()),
  lines: v.array(v.object({ article: v.string(), count: v.pipe(v.number(), v.minValue(1)) })),
  note: v.optional(v.string(), ''),
});

export const orderByArkType = type({
  id: type('string.integer.parse').or('number.integer'),
  lines: type({ article: 'string', count: 'number > 0' }).array(),
  note: "string = ''",
});

/** A schema by hand, out of what answers. */
export const schemaOf = <T>(
  validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>,
): StandardSchemaV1<unknown, T> => ({ '~standard': { version: 1, vendor: 'by hand', validate } });

export interface Held {
  readonly value: string;
  /** Accepts the value as it came, in capitals. */
  accept(): void;
  refuse(message: string): void;
  fail(error: unknown): void;
}

/** An asynchronous schema whose answers a test gives, one by one and in any order. */
export function heldSchema(): { readonly schema: StandardSchemaV1<unknown, string>; readonly held: Held[] } {
  const held: Held[] = [];
  const schema = schemaOf<string>(
    (value) =>
      new Promise((resolve, reject) => {
        held.push({
          value: String(value),
          accept: () => resolve({ value: String(value).toUpperCase() }),
          refuse: (message) => resolve({ issues: [{ message }] }),
          fail: reject,
        });
      }),
  );
  return { schema, held };
}
