/**
 * Runs the compiled tests and ends with one line: `N passed, N failed`. Arguments go to tap; a test may be named by its
 * source file. Fails when anything failed, and when nothing ran.
 *
 * The report is made here, from tap's TAP: its own reporters redraw, and where nobody watches they leave out why a test
 * failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, styleText } from 'node:util';
import { Parser } from 'tap-parser';

const root = fileURLToPath(new URL('..', import.meta.url));

function paint(style, text) {
  return process.stdout.isTTY && process.env.NO_COLOR === undefined ? styleText(style, text) : text;
}

/** The file that tap runs for an argument that names a test's source, else the argument. */
function compiled(argument) {
  if (!argument.endsWith('.ts') || !existsSync(argument)) return argument;
  const source = relative(root, resolve(argument)).split(sep).join('/');
  return `build/${source.slice(0, -'.ts'.length)}.js`;
}

/** Runs tap, its TAP going into the parser; resolves with its exit code. */
function runTap(parser) {
  const tap = join(
    createRequire(import.meta.url).resolve('tap/package.json'),
    '..',
    'dist',
    'esm',
    'run.mjs',
  );
  const args = [tap, '--reporter=tap', ...process.argv.slice(2).map(compiled)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.stdout.pipe(parser);
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) => done(code ?? 1));
  });
}

/**
 * Calls `onResult` for every assertion in the parser's TAP. The line that closes a subtest repeats what is inside, so it
 * is told only where it says more: a failure that no assertion inside has told (a crash, a broken plan), or a success
 * with none inside.
 */
function watchAssertions(parser, onResult) {
  let inside = { assertions: 0, failed: 0 };
  let failed = 0;
  const told = (result) => {
    if (!result.ok) failed++;
    onResult(result);
  };
  parser.on('child', (child) => {
    const counted = watchAssertions(child, told);
    child.on('complete', (results) => {
      inside = { assertions: results.count, failed: counted() };
    });
  });
  parser.on('assert', (result) => {
    if (result.skip || result.todo) return;
    if (!result.closingTestPoint || (result.ok ? inside.assertions === 0 : inside.failed === 0)) told(result);
  });
  return () => failed;
}

function indented(text, by) {
  return text.trimEnd().replace(/^/gm, ' '.repeat(by));
}

/** Why an assertion failed, as far as tap knows. */
function reasonOf(result) {
  const { at, diff, found, wanted, compare, source, stack, ...others } = result.diag ?? {};
  const { stdio, cwd, externalID, command, args, jobId, ...rest } = others;
  const facts =
    diff === undefined && (found !== undefined || wanted !== undefined) ? { found, wanted, ...rest } : rest;
  const parts = [
    diff,
    Object.keys(facts).length > 0 ? inspect(facts, { depth: 4 }) : undefined,
    source,
    stack,
  ];
  return parts
    .filter((part) => typeof part === 'string' && part.trim() !== '')
    .map((part) => indented(part, 6));
}

/** Prints a line for each test file when it is done, with its failures and what it said. Returns the counts so far. */
function report(parser) {
  const total = { passed: 0, failed: 0, failures: [] };
  let file = { passed: 0, failures: [], skipped: [], comments: [] };
  watchAssertions(parser, (result) => {
    if (result.ok) file.passed++;
    else file.failures.push(result);
  });
  const hear = (child) => {
    child.on('comment', (comment) => {
      if (!/^# (Subtest: |time=)/.test(comment)) file.comments.push(comment);
    });
    child.on('assert', (result) => {
      if (result.skip) file.skipped.push(result);
    });
    child.on('child', hear);
  };
  parser.on('child', hear);
  // Listens after watchAssertions, so the line that closes a file is counted before it is printed.
  parser.on('assert', (closing) => {
    const { passed, failures, skipped, comments } = file;
    file = { passed: 0, failures: [], skipped: [], comments: [] };
    total.passed += passed;
    total.failed += failures.length;
    total.failures.push(...failures);
    const name = closing.name.replace(/^build\//, '');
    const time = paint('dim', `${Math.round(closing.time ?? 0)} ms`);
    if (failures.length === 0) console.log(`${paint('green', 'pass')}  ${name}  ${passed}  ${time}`);
    else
      console.log(`${paint('red', 'FAIL')}  ${name}  ${passed} passed, ${failures.length} failed  ${time}`);
    for (const { name: what, skip } of skipped) {
      console.log(
        `  ${paint('yellow', 'skip')}  ${what || 'test'}${typeof skip === 'string' ? `: ${skip}` : ''}`,
      );
    }
    for (const failure of failures) {
      console.log(`  ${paint('red', 'not ok')}  ${failure.fullname}`);
      for (const part of reasonOf(failure)) console.log(part);
    }
    // Comments explain failures; those that begin with 'found:' tell what a test has looked at.
    const told = failures.length > 0 ? comments : comments.filter((comment) => /^# found:/.test(comment));
    if (told.length > 0) console.log(indented(told.join(''), 2));
  });
  return total;
}

const parser = new Parser();
const finished = new Promise((done) => parser.on('complete', done));
const total = report(parser);
const code = await runTap(parser);
const results = await finished;

const nothingRan = total.passed + total.failed === 0;
if ((code !== 0 || !results.ok) && total.failed === 0 && !nothingRan) {
  console.log(`Every assertion passed, but tap exited with ${code}`);
  total.failed++;
}
if (total.failures.length > 0) {
  console.log('\nFailed:');
  for (const failure of total.failures) console.log(`  ${failure.fullname}`);
}
if (nothingRan) console.log('No test ran');
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || nothingRan ? 1 : 0;
