import type { GeneralRegister } from '../../emu/registers.js';
import { assembleSources, PROGRAM_BASE } from '../program-image.js';

/** What an `asm` statement tells the compiler of the instructions in it. */
export interface AsmStatement {
  /** File and line. */
  readonly place: string;
  /** The instructions, as an assembler takes them. */
  readonly text: string;
  readonly outputs: readonly string[];
  /** Unchanged, as the compiler is told, unless they are outputs or clobbers too. */
  readonly inputs: readonly string[];
  readonly clobbers: readonly string[];
}

/** Constraints that are one register (GCC manual, "x86 family constraints"). */
const CONSTRAINTS: Readonly<Record<string, GeneralRegister>> = {
  a: 'rax',
  b: 'rbx',
  c: 'rcx',
  d: 'rdx',
  S: 'rsi',
  D: 'rdi',
};
const BEGINS = /\b(?:__asm__|__asm|asm)\b\s*(?:(?:__volatile__|__volatile|volatile|goto|inline)\s*)*\(/g;
/** A string, a comment, or a character that counts. */
const TOKEN = /"((?:\\.|[^"\\])*)"|\/\*[\s\S]*?\*\/|\/\/.*|\\\n|\(|\)|:|,|[A-Za-z_]\w*|[\s\S]/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\' };

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/g, (whole, letter: string) => ESCAPES[letter] ?? whole);

/** Macros without arguments, by name: the last definition of each, since headers give the plain case last. */
function macrosOf(text: string): Map<string, string> {
  const found = text.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+((?:[^\\\n]|\\\n|\\.)*)$/gm);
  return new Map([...found].map(([, name, body]) => [name, body]));
}

/** The parts of a statement between its colons: each a list of strings, those of macros included. */
function partsOf(text: string, start: number, macros: ReadonlyMap<string, string>): string[][] | undefined {
  const parts: string[][] = [[]];
  let depth = 1;
  const add = (string: string): void => {
    parts.at(-1)?.push(unescaped(string));
  };
  const expand = (name: string, level: number): void => {
    const body = level > 8 ? undefined : macros.get(name);
    for (const [token, string] of body?.matchAll(TOKEN) ?? []) {
      if (string !== undefined) add(string);
      else if (/^[A-Za-z_]/.test(token)) expand(token, level + 1);
    }
  };
  for (const [token, string] of text.slice(start).matchAll(TOKEN)) {
    if (string !== undefined && depth === 1) add(string);
    else if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (token === ':' && depth === 1) parts.push([]);
    else if (depth === 1 && /^[A-Za-z_]/.test(token)) expand(token, 0);
    if (depth === 0) return parts;
  }
  return undefined;
}

/** The `asm` statements of C text, in their order; those with operands in their instructions are left out. */
export function asmStatements(file: string, text: string): AsmStatement[] {
  const macros = macrosOf(text);
  return [...text.matchAll(BEGINS)].flatMap((match): AsmStatement[] => {
    const parts = partsOf(text, match.index + match[0].length, macros);
    if (parts === undefined) return [];
    const [template = [], outputs = [], inputs = [], clobbers = []] = parts;
    const raw = template.join('');
    if (/%\d|%\[/.test(raw)) return [];
    const line = text.slice(0, match.index).split('\n').length;
    const registers = (constraints: readonly string[]): string[] =>
      constraints.flatMap((one) => CONSTRAINTS[one.replaceAll(/[=+&]/g, '')] ?? []);
    return [
      {
        place: `${file}:${line}`,
        text: `${raw.replaceAll('%=', '1').replaceAll('%%', '%')}\n`,
        outputs: registers(outputs),
        inputs: registers(inputs),
        clobbers,
      },
    ];
  });
}

/**
 * The statement whose instructions are these, byte for byte. A compiler may have put an instruction of its own in front.
 * @param code the bytes of a sequence
 */
export async function statementOf(
  statements: readonly AsmStatement[],
  code: Uint8Array,
): Promise<AsmStatement | undefined> {
  for (const statement of statements) {
    const image = await assembleSources(
      [{ name: statement.place, text: `        .text\n${statement.text}` }],
      undefined,
      PROGRAM_BASE,
      new Map(),
    ).catch(() => undefined);
    const bytes = image?.sections.find(({ name }) => name === '.text')?.bytes;
    if (bytes === undefined || bytes.length === 0 || bytes.length > code.length) continue;
    const tail = code.subarray(code.length - bytes.length);
    if (bytes.every((byte, at) => byte === tail[at])) return statement;
  }
  return undefined;
}
