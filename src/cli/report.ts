import { relative } from 'node:path';
import type { Finding, Report } from '../mod.js';
import { counted, grouped } from './numbers.js';
import type { Paint } from './paint.js';
import type { Session } from './session.js';
import { table } from './table.js';

/** Prints what `verify` or `repair` found. */
export async function showReport({ json, out, directory }: Session, report: Report): Promise<void> {
  if (json) {
    const findings = report.findings.map((one) => ({ ...one, indexes: one.indexes ?? null }));
    await out.json({ ...report, findings });
    return;
  }
  const { paint } = out;
  if (report.findings.length > 0) await out.line(`${findingsTable(report.findings, directory, paint)}\n`);
  const verdict = report.ok ? 'ok' : 'NOT OK';
  const painted = paint(report.ok ? 'green' : 'red', verdict);
  const { records, bytes, findings } = report;
  await out.line(
    `${painted}: ${counted(records, 'whole record')}, ${counted(bytes, 'byte')}, ${counted(findings.length, 'finding')}`,
  );
}

function findingsTable(findings: readonly Finding[], directory: string, paint: Paint): string {
  const rows = findings.map(({ severity, repaired, file, position, bytes, indexes, what }) => [
    severity,
    repaired ? 'yes' : 'no',
    relative(directory, file),
    grouped(position),
    grouped(bytes),
    rangeOf(indexes),
    what,
  ]);
  return table(
    [
      { name: 'SEVERITY' },
      { name: 'REPAIRED' },
      { name: 'FILE' },
      { name: 'POSITION', align: 'right' },
      { name: 'BYTES', align: 'right' },
      { name: 'RECORDS', align: 'right' },
      { name: 'WHAT' },
    ],
    rows,
    paint,
  );
}

function rangeOf(indexes: Finding['indexes']): string {
  if (indexes === undefined) return '-';
  return indexes.from === indexes.to ? String(indexes.from) : `${indexes.from}-${indexes.to}`;
}
