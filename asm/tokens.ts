import { Fault } from './errors.js';
import type { Token } from './statement.js';

const STRING = /^"(?:\\[\s\S]|[^"\\])*"/;
const CHARACTER = /^'(\\[\s\S]|[^\\])'?/;
const REGISTER = /^%(st\s*\(\s*[0-9]\s*\)|[A-Za-z][A-Za-z0-9]*)/;
const LABEL_REFERENCE = /^([0-9]+)[bf](?![\w.$])/;
// With the letters behind a number, so that `12ab` is not read as a number and a name.
const NUMBER = /^[0-9][\w.$]*/;
const NAME = /^[A-Za-z_.\u0080-\uffff][\w.$\u0080-\uffff]*(?:@\w+)?/;
const OPERATOR = /^(?:<<|>>|[-+*/%&|^~(),$:])/;

const ESCAPES: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, "'": 39, '\\': 92 };
const ESCAPE = /\\(x[0-9a-fA-F]+|[0-7]{1,3}|[\s\S])|[^\\]+/g;

/** The bytes of the inside of a string constant, with the escapes of GNU as; other characters are UTF-8. */
function stringBytes(inside: string): number[] {
  const bytes: number[] = [];
  for (const [raw, escaped] of inside.matchAll(ESCAPE)) {
    if (escaped === undefined) bytes.push(...new TextEncoder().encode(raw));
    // Like GNU as, a hexadecimal escape takes all digits there are and keeps the low byte.
    else if (/^x./.test(escaped)) bytes.push(Number.parseInt(escaped.slice(-2).replace('x', ''), 16));
    else if (/^[0-7]/.test(escaped)) bytes.push(Number.parseInt(escaped, 8) & 0xff);
    else {
      const byte = ESCAPES[escaped];
      if (byte === undefined) throw new Fault(`unknown escape "\\${escaped}" in a string`, `\\${escaped}`);
      bytes.push(byte);
    }
  }
  return bytes;
}

function numberValue(text: string): bigint {
  if (!/^(?:0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)$/.test(text)) {
    throw new Fault(`"${text}" is neither a number nor a name`, text);
  }
  if (/^0[0-9]+$/.test(text)) {
    if (/[89]/.test(text)) throw new Fault(`"${text}" is octal because of its first 0, but has a digit above 7`, text);
    return BigInt(`0o${text.slice(1)}`);
  }
  const value = BigInt(text);
  // Keystone never comes back from a number that has more than 64 bits.
  if (value >= 1n << 64n) throw new Fault(`the number ${text} does not fit 64 bits`, text);
  return value;
}

function characterValue(inside: string): bigint {
  const bytes = stringBytes(inside);
  if (bytes.length !== 1) throw new Fault(`'${inside}' is not one byte`, `'${inside}'`);
  return BigInt(bytes[0] ?? 0);
}

/** Without `@PLT`: in an image that is linked for good, a call through the procedure linkage table is a plain call. */
function plainName(text: string): string {
  const [name = '', how] = text.split('@');
  if (how !== undefined && how.toUpperCase() !== 'PLT') {
    throw new Fault(`"${text}" needs a dynamic linker, and there is none here: write "${name}"`, text);
  }
  return name;
}

type NumericLabel = (digits: string, direction: string) => string;

/** In the order in which they are tried: what comes first decides. The second part is the one in parentheses. */
const READERS: readonly [RegExp, (text: string, part: string, numericLabel: NumericLabel) => Token][] = [
  [STRING, (text) => ({ kind: 'string', text, bytes: stringBytes(text.slice(1, -1)) })],
  [CHARACTER, (text, inside) => ({ kind: 'number', text, value: characterValue(inside) })],
  [REGISTER, (text, name) => ({ kind: 'register', text, name: name.replace(/\s/g, '').toLowerCase() })],
  [LABEL_REFERENCE, (text, digits, label) => ({ kind: 'name', text, name: label(digits, text.slice(-1)) })],
  [NUMBER, (text) => ({ kind: 'number', text, value: numberValue(text) })],
  [NAME, (text) => ({ kind: 'name', text, name: plainName(text) })],
  [OPERATOR, (text) => ({ kind: 'operator', text })],
];

/**
 * Reads a statement into tokens.
 *
 * @param numericLabel names the label that a reference such as `1b` or `1f` means
 * @throws Fault for a character, number or string that GNU as would not take here either
 */
export function tokenize(text: string, numericLabel: NumericLabel): Token[] {
  const tokens: Token[] = [];
  let rest = text.trimStart();
  while (rest !== '') {
    let token: Token | undefined;
    for (const [pattern, read] of READERS) {
      const match = pattern.exec(rest);
      if (!match) continue;
      token = read(match[0], match[1] ?? '', numericLabel);
      break;
    }
    if (!token) throw new Fault(`unexpected "${rest[0]}"`, rest[0]);
    tokens.push(token);
    rest = rest.slice(token.text.length).trimStart();
  }
  return tokens;
}
