import { Fault } from './errors.js';
import type { Piece } from './scanner.js';

interface Parameter {
  readonly name: string;
  readonly value: string | undefined;
}

/** A `.macro`: its parameters, and the pieces of text up to its `.endm`. */
export interface Macro {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Piece[];
  /** Where the body is written. */
  readonly file: string;
}

const JOINS = /[-+*/|&^~<>=,(:%$]/;
const JOINS_BEFORE = /[-+*/|&^~<>=,):]/;

// A string, a character constant, spaces, or any other character.
const ARGUMENT_PIECES = /"(?:\\[\s\S]|[^"\\])*"?|'(?:\\.|[^\\])'?|\s+|[\s\S]/g;

/** Splits what follows a macro's name: at commas, and like GNU as also at spaces that no operator is next to. */
export function splitArguments(text: string): string[] {
  const pieces = [...text.trim().matchAll(ARGUMENT_PIECES)].map(([piece]) => piece);
  if (pieces.length === 0) return [];
  const parts = [''];
  let depth = 0;
  pieces.forEach((piece, at) => {
    if (piece === '(') depth++;
    if (piece === ')') depth--;
    const isSpace = piece.trim() === '';
    const joins = JOINS.test(pieces[at - 1] ?? '') || JOINS_BEFORE.test(pieces[at + 1] ?? '');
    if (depth === 0 && (piece === ',' || (isSpace && !joins))) parts.push('');
    else if (!isSpace) parts[parts.length - 1] += piece;
  });
  return parts;
}

/** Reads the rest of a `.macro` line: `name a, b=default`. @throws Fault if it cannot be read */
export function parseMacroHead(text: string): Pick<Macro, 'name' | 'parameters'> {
  const head = /^\s*([A-Za-z_.][\w.$]*)\s*,?\s*(.*)$/.exec(text);
  if (!head) throw new Fault('a macro needs a name: .macro name a, b=default');
  const [, name = '', rest = ''] = head;
  const parameters = splitArguments(rest.replaceAll(/\s*=\s*/g, '=')).map((part): Parameter => {
    const parameter = /^([A-Za-z_]\w*)(?:=(.*))?$/.exec(part);
    if (!parameter) throw new Fault(`"${part}" is not a macro parameter: write name or name=default`, part);
    return { name: parameter[1] ?? '', value: parameter[2] };
  });
  return { name, parameters };
}

const unquote = (text: string) => /^"([\s\S]*)"$/.exec(text)?.[1] ?? text;

/**
 * The body of a macro with `\name` replaced by arguments, `\@` by `call` (the number of macro calls before this one),
 * and `\()` by nothing.
 * @throws Fault for too many arguments, or one without a value
 */
export function expandMacro({ name, parameters, body }: Macro, text: string, call: number): Piece[] {
  const values = new Map<string, string>();
  const given = splitArguments(text);
  let place = 0;
  for (const part of given) {
    const keyword = /^([A-Za-z_]\w*)\s*=(?!=)\s*([\s\S]*)$/.exec(part);
    const named = keyword && parameters.find((parameter) => parameter.name === keyword[1]);
    if (named) values.set(named.name, unquote(keyword[2] ?? ''));
    else {
      const parameter = parameters[place++];
      if (!parameter) throw new Fault(`macro ${name} takes ${parameters.length} arguments, not ${given.length}`, part);
      if (part !== '') values.set(parameter.name, unquote(part));
    }
  }
  for (const parameter of parameters) {
    if (values.has(parameter.name)) continue;
    // GNU as puts nothing in place of a missing argument; what comes of that is a fault further down at best.
    if (parameter.value === undefined) throw new Fault(`macro ${name} is missing its argument "${parameter.name}"`);
    values.set(parameter.name, unquote(parameter.value));
  }
  return body.map((piece) => ({
    ...piece,
    text: piece.text.replaceAll(/\\(\(\)|@|[A-Za-z_]\w*)/g, (whole, key: string) => {
      if (key === '()') return '';
      if (key === '@') return String(call);
      return values.get(key) ?? whole;
    }),
  }));
}
