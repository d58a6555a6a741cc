import { Fault } from './errors.js';
import type { Token } from './statement.js';

/**
 * A value as the assembler can know it before addresses are: the sum of some labels, less others, plus a number.
 * Labels are named as Keystone is to see them.
 */
export interface Expression {
  readonly plus: readonly string[];
  readonly minus: readonly string[];
  readonly constant: bigint;
}

/** What a name stands for; throws Fault if it stands for nothing. */
export type Lookup = (name: string) => Expression;

/** The expression that is just a number. */
export function constant(value: bigint): Expression {
  return { plus: [], minus: [], constant: value };
}

/** The expression that is a label, and a number of bytes behind it. */
export function label(name: string, offset = 0n): Expression {
  return { plus: [name], minus: [], constant: offset };
}

/** Whether the value is known without addresses. */
export function isConstant(expression: Expression): boolean {
  return expression.plus.length === 0 && expression.minus.length === 0;
}

function add(a: Expression, b: Expression): Expression {
  const plus = [...a.plus, ...b.plus];
  const minus: string[] = [];
  for (const name of [...a.minus, ...b.minus]) {
    const same = plus.indexOf(name);
    if (same >= 0) plus.splice(same, 1);
    else minus.push(name);
  }
  return { plus, minus, constant: a.constant + b.constant };
}

function negate(a: Expression): Expression {
  return { plus: a.minus, minus: a.plus, constant: -a.constant };
}

const unsigned = (value: bigint) => BigInt.asUintN(64, value);

/** The operators on numbers, and how tightly they bind: GNU as puts `|` above `+`, unlike C. */
const OPERATORS: Readonly<Record<string, { level: number; apply: (a: bigint, b: bigint) => bigint }>> = {
  '*': { level: 3, apply: (a, b) => a * b },
  '/': { level: 3, apply: (a, b) => a / b },
  '%': { level: 3, apply: (a, b) => a % b },
  '<<': { level: 3, apply: (a, b) => (b < 64n ? unsigned(a) << unsigned(b) : 0n) },
  '>>': { level: 3, apply: (a, b) => (b < 64n ? unsigned(a) >> unsigned(b) : 0n) },
  '|': { level: 2, apply: (a, b) => a | b },
  '&': { level: 2, apply: (a, b) => a & b },
  '^': { level: 2, apply: (a, b) => a ^ b },
  '+': { level: 1, apply: (a, b) => a + b },
  '-': { level: 1, apply: (a, b) => a - b },
};

function combine(operator: string, a: Expression, b: Expression): Expression {
  if (operator === '+') return add(a, b);
  if (operator === '-') return add(a, negate(b));
  if (!isConstant(a) || !isConstant(b)) {
    throw new Fault(`"${operator}" needs numbers, and a label's address is not known yet`, operator);
  }
  if ((operator === '/' || operator === '%') && b.constant === 0n) throw new Fault('division by zero', operator);
  const value = OPERATORS[operator]?.apply(a.constant, b.constant) ?? 0n;
  return constant(value >= 1n << 64n ? unsigned(value) : value);
}

const DEEPEST = 64;

/**
 * Reads an expression from the front of `tokens`, from position `at`; `next` is where it ends.
 *
 * Everything Keystone could compute is computed here: its own answers are wrong for a count that is not a plain
 * number (`.zero n` before `.set n` gives nothing at all), and it knows no bound.
 * @throws Fault for a syntax error, a name that means nothing, or an operator on labels other than + and -
 */
export function parseExpression(
  tokens: readonly Token[],
  at: number,
  lookup: Lookup,
): { value: Expression; next: number } {
  let next = at;
  const operatorAt = (position: number) => {
    const token = tokens[position];
    return token?.kind === 'operator' ? token.text : undefined;
  };
  const primary = (depth: number): Expression => {
    const token = tokens[next++];
    if (!token) throw new Fault('a number or name is missing here');
    if (depth > DEEPEST) throw new Fault(`an expression nested deeper than ${DEEPEST}`, token.text);
    if (token.kind === 'number') return constant(token.value);
    if (token.kind === 'name') return lookup(token.name);
    if (token.text === '-') return negate(primary(depth + 1));
    if (token.text === '+') return primary(depth + 1);
    if (token.text === '~') return combine('-', constant(-1n), primary(depth + 1));
    if (token.text === '(') {
      const inside = binary(1, depth + 1);
      if (operatorAt(next) !== ')') throw new Fault('")" is missing in an expression');
      next++;
      return inside;
    }
    throw new Fault(`a number or name is expected instead of "${token.text}"`, token.text);
  };
  const binary = (lowest: number, depth: number): Expression => {
    let left = primary(depth);
    for (;;) {
      const text = operatorAt(next);
      const operator = text === undefined ? undefined : OPERATORS[text];
      if (text === undefined || operator === undefined || operator.level < lowest) return left;
      next++;
      left = combine(text, left, binary(operator.level + 1, depth + 1));
    }
  };
  return { value: binary(1, 0), next };
}

/** Reads tokens that are one expression and nothing else. @throws Fault, as parseExpression */
export function wholeExpression(tokens: readonly Token[], lookup: Lookup): Expression {
  const { value, next } = parseExpression(tokens, 0, lookup);
  const rest = tokens[next];
  if (rest) throw new Fault(`unexpected "${rest.text}"`, rest.text);
  return value;
}

/** A constant expression's value. @throws Fault if it depends on where labels will be */
export function constantValue(tokens: readonly Token[], lookup: Lookup, what: string): bigint {
  const value = wholeExpression(tokens, lookup);
  if (!isConstant(value)) throw new Fault(`${what} must be a number that does not depend on a label's address`);
  return value.constant;
}

/** Splits at the commas that are not inside parentheses. No tokens: no parts. */
export function splitAtCommas(tokens: readonly Token[]): Token[][] {
  if (tokens.length === 0) return [];
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'operator' && token.text === '(') depth++;
    if (token.kind === 'operator' && token.text === ')') depth--;
    if (token.kind === 'operator' && token.text === ',' && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

const hexadecimal = (value: bigint) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

/**
 * The expression as Keystone is to see it: at most one label less another, and a hexadecimal number, which it cannot
 * take for anything else.
 * @throws Fault for any other sum of labels
 */
export function renderExpression({ plus, minus, constant }: Expression): string {
  if (plus.length > 1 || minus.length > plus.length) {
    throw new Fault('only a label, or the distance of two labels, can be assembled');
  }
  if (constant >= 1n << 64n || constant < -(1n << 63n)) throw new Fault(`the value ${constant} does not fit 64 bits`);
  if (plus.length === 0) return hexadecimal(constant);
  const labels = [plus[0], ...minus].join('-');
  if (constant === 0n) return labels;
  return constant < 0n ? `${labels}${hexadecimal(constant)}` : `${labels}+${hexadecimal(constant)}`;
}
