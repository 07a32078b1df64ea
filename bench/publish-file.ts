/** Writes docs/benchmarks.md and its charts from the figures of a run: `node build/bench/publish-file.js [file]`. */
import { readFileSync } from 'node:fs';
import { publish, published } from './publish.js';

const [file] = process.argv.slice(2);
await publish(file === undefined ? published() : JSON.parse(readFileSync(file, 'utf8')));
