import { isDeepStrictEqual } from 'node:util';
import type { Facts } from './inventory.js';

/** How one inventory differs from the true one, a line for each difference. */
export function differences(found: readonly Facts[], truth: readonly Facts[]): string[] {
  const foundByPath = new Map(found.map((facts) => [facts.path, facts]));
  const known = new Set(truth.map(({ path }) => path));
  return [
    ...truth.flatMap((facts) => {
      const other = foundByPath.get(facts.path);
      if (other === undefined) return [`${facts.path} is missing`];
      return isDeepStrictEqual(other, facts) ? [] : [`${facts.path} differs`];
    }),
    ...found.filter(({ path }) => !known.has(path)).map(({ path }) => `${path} does not exist`),
  ];
}

function sum(inventory: readonly Facts[], field: 'files' | 'bytes'): number {
  return inventory.reduce((total, facts) => total + facts[field], 0);
}

/** The most frequent licences, with the number of their packages. */
function licences(inventory: readonly Facts[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { licence } of inventory) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  return counts;
}

/** Two inventories side by side. */
export function table(found: readonly Facts[], truth: readonly Facts[]): string {
  const figures = (inventory: readonly Facts[]): Map<string, number> => {
    const counts = licences(inventory);
    return new Map([
      ['packages', inventory.length],
      ['files', sum(inventory, 'files')],
      ['bytes', sum(inventory, 'bytes')],
      ['licences', counts.size],
      ...[...counts].map(([licence, packages]) => [`  ${licence}`, packages] as const),
    ]);
  };
  const left = figures(found);
  const right = figures(truth);
  const row = (name: string, a: string, b: string): string =>
    `${name.padEnd(26)}${a.padStart(16)}${b.padStart(16)}`;
  const format = (figure: number | undefined): string => (figure ?? 0).toLocaleString('en');
  const names = [...new Set([...right.keys(), ...left.keys()])];
  const fixed = names.slice(0, 4);
  const byLicence = names.slice(4).sort((a, b) => (right.get(b) ?? 0) - (right.get(a) ?? 0));
  return [
    row('', 'by the queue', 'alone'),
    ...[...fixed, ...byLicence.slice(0, 5)].map((name) =>
      row(name, format(left.get(name)), format(right.get(name))),
    ),
  ].join('\n');
}
