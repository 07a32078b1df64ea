import { DurostoreError } from '../mod.js';

/** What a configuration of the Go Durostore says of where its files are. */
export interface GoConfiguration {
  readonly directory: string;
  readonly filePrefix: string;
}

/** INVALID_OPTION where the text is neither a JSON object nor flat YAML, or names no directory. */
export function goConfiguration(text: string, path: string): GoConfiguration {
  const invalid = (what: string): DurostoreError =>
    new DurostoreError(
      'INVALID_OPTION',
      `durostore-go: ${path} is no configuration of a Go Durostore: ${what}. Correct it, or give the directory and --go-prefix`,
    );
  const { directory, file_prefix: filePrefix = '' } = text.trimStart().startsWith('{')
    ? fromJson(text, invalid)
    : fromFlatYaml(text, invalid);
  if (typeof directory !== 'string' || directory === '') throw invalid('it names no directory');
  if (typeof filePrefix !== 'string') throw invalid("its 'file_prefix' is no string");
  return { directory, filePrefix };
}

type Invalid = (what: string) => DurostoreError;
type Settings = Readonly<Record<string, unknown>>;

function fromJson(text: string, invalid: Invalid): Settings {
  try {
    return JSON.parse(text) as Settings;
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

const LINE = /^([A-Za-z_]\w*):(?:[ \t]+(.*))?$/;
const COMMENT = /(^|[ \t])#.*$/;
const PLAIN = /^[^\s'"[\]{}>|*&!%@`#,?:-](?:(?!:[ \t]|:$).)*$/;

/** `key: value` lines. ⚑ Anything else of YAML is refused: half understood, it would lead to other files. */
function fromFlatYaml(text: string, invalid: Invalid): Settings {
  const settings: Record<string, string> = {};
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.replace(COMMENT, '').trim() === '' || (line.trim() === '---' && at === 0)) continue;
    const [, key = '', value = ''] = LINE.exec(line) ?? [];
    const scalar = scalarOf(value.trim());
    if (key === '' || scalar === undefined || Object.hasOwn(settings, key))
      throw invalid(`line ${at + 1} is not a 'key: value' of its own, as flat YAML and JSON alone are read`);
    settings[key] = scalar;
  }
  return settings;
}

/** Undefined where it is not in one line, or not a text. */
function scalarOf(value: string): string | undefined {
  const [, single] = /^'((?:[^']|'')*)'(?:[ \t]+#.*)?$/.exec(value) ?? [];
  if (single !== undefined) return single.replaceAll("''", "'");
  const [, double] = /^"([^"\\]*)"(?:[ \t]+#.*)?$/.exec(value) ?? [];
  if (double !== undefined) return double;
  const plain = value.replace(COMMENT, '').trim();
  return plain === '' || plain === '~' || plain === 'null' ? '' : PLAIN.exec(plain)?.[0];
}
