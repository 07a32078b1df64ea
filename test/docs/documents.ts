import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/repository.js';

export interface Document {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a document. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Where its first line is. */
  readonly line: number;
}

/** Every document that users and contributors read. */
export function documents(): Document[] {
  const atRoot = readdirSync(repository).filter((name) => name.endsWith('.md'));
  const folder = join(repository, 'docs');
  const below = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.md')) : [];
  const examples = readdirSync(join(repository, 'examples'))
    .map((name) => `examples/${name}/README.md`)
    .filter((path) => existsSync(join(repository, path)));
  return [...atRoot, ...below.map((name) => `docs/${name}`), ...examples].map((path) => ({
    path,
    text: readFileSync(join(repository, path), 'utf8'),
  }));
}

export function document(path: string): Document {
  return { path, text: readFileSync(join(repository, path), 'utf8') };
}

export function blocksOf({ text }: Document): Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length + 1,
  }));
}

/** The rows of the tables in a document, each as its cells' text without code marks. */
export function rowsOf({ text }: Document): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.replaceAll('`', '').trim()),
    );
}
