import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import PQueue from 'p-queue';
import t from 'tap';
import ts from 'typescript';
import { startCommand } from '../support/processes.js';
import { repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { blocksOf, documents } from './documents.js';

/** A `ts` block of a document: a whole program. A `text` block right after it is what it prints. */
interface Snippet {
  readonly where: string;
  readonly text: string;
  readonly prints: string | undefined;
}

const snippets: Snippet[] = documents().flatMap((document) =>
  blocksOf(document).flatMap((block, position, blocks) => {
    if (block.language !== 'ts') return [];
    const next = blocks[position + 1];
    const endOfBlock = block.line + block.text.split('\n').length;
    const follows = next?.language === 'text' && next.line <= endOfBlock + 2;
    return [
      { where: `${document.path}:${block.line}`, text: block.text, prints: follows ? next.text : undefined },
    ];
  }),
);

/** Compiles the snippets as users would; returns the compiler's complaints. */
function compile(directory: string, files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(repository, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, repository);
  const program = ts.createProgram(files, {
    ...options,
    rootDir: directory,
    outDir: directory,
    typeRoots: [join(repository, 'node_modules', '@types')],
    incremental: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    noUnusedLocals: false,
    moduleDetection: ts.ModuleDetectionKind.Force,
  });
  const emitted = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].map((diagnostic) => {
    const { line } = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0) ?? { line: 0 };
    return `${diagnostic.file?.fileName}:${line + 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
  });
}

t.test('the programs in the documents compile, run and print what is said', async (t) => {
  const directory = await temporaryDirectory(t);
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(repository, join(directory, 'node_modules', 'durostore'), 'junction');
  for (const name of ['zod'])
    symlinkSync(join(repository, 'node_modules', name), join(directory, 'node_modules', name), 'junction');
  const names = snippets.map((_, number) => join(directory, `snippet-${number}.ts`));
  snippets.forEach(({ text }, number) => {
    writeFileSync(names[number] ?? '', text);
  });
  t.ok(snippets.length > 0, 'there are some');
  t.same(compile(directory, names), []);

  const few = new PQueue({ concurrency: 4 });
  await few.addAll(
    snippets.map(({ where, prints }, number) => async () => {
      const cwd = join(directory, `run-${number}`);
      mkdirSync(cwd);
      const program = startCommand(t, join(directory, `snippet-${number}.js`), { cwd });
      const end = await program.ended(60_000);
      t.same(end, { code: 0, signal: null }, `${where} runs${end.code === 0 ? '' : `\n${program.stderr}`}`);
      if (prints !== undefined) t.equal(program.stdout, prints, `${where} prints what is said`);
    }),
  );
});
