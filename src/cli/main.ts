#!/usr/bin/env node
import { run } from './run.js';

const { code, interrupted } = await run(process.argv.slice(2));
process.exitCode = code;
// Whoever interrupts does not wait for a reader that takes no more output.
if (interrupted) process.exit(code);
