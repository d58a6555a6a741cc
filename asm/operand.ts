import { Fault } from './errors.js';
import {
  constant,
  type Expression,
  type Lookup,
  parseExpression,
  renderExpression,
  wholeExpression,
} from './expression.js';
import { registerWidth } from './registers.js';
import type { Token } from './statement.js';

/** An operand in AT&T syntax. `indirect` is the `*` of `jmp *%rdx`. Register names are without `%`. */
export type Operand = { readonly indirect: boolean } & (
  | { readonly kind: 'register'; readonly register: string }
  | { readonly kind: 'immediate'; readonly value: Expression }
  | Memory
);

/** `segment:displacement(base,index,scale)`; without parentheses it is an address, or the target of a jump. */
export interface Memory {
  readonly kind: 'memory';
  readonly segment?: string;
  /** Undefined when there is none written, as in `(%rax)`. */
  readonly displacement?: Expression;
  /** Whether the displacement is a plain number, without a name that stands for one. */
  readonly literal: boolean;
  readonly registers?: { readonly base?: string; readonly index?: string; readonly scale: bigint };
}

const isOperator = (token: Token | undefined, text: string) => token?.kind === 'operator' && token.text === text;

function addressRegister(token: Token, role: 'base' | 'index'): string {
  if (token.kind !== 'register') throw new Fault(`a register is expected instead of "${token.text}"`, token.text);
  const width = registerWidth(token.name);
  // `(%dx)` is the port of `in` and `out`.
  const fits = width === 64 || width === 32 || (role === 'base' && token.name === 'dx');
  if (!fits || (role === 'index' && /^[re][si]p$/.test(token.name))) {
    throw new Fault(`"${token.text}" cannot be the ${role} of an address`, token.text);
  }
  return token.name;
}

function addressRegisters(tokens: readonly Token[], lookup: Lookup): NonNullable<Memory['registers']> {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (isOperator(token, ',')) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const [base = [], index = [], scale = []] = parts;
  const wrong = parts.length > 3 || base.length > 1 || index.length > 1;
  const text = tokens.map((token) => token.text).join('');
  if (wrong) throw new Fault(`"(${text})" is not an address: it is (base, index, scale)`, `(${text})`);
  const [baseToken] = base;
  const [indexToken] = index;
  const factor = scale.length === 0 ? constant(1n) : wholeExpression(scale, lookup);
  if (![1n, 2n, 4n, 8n].includes(factor.constant) || factor.plus.length > 0) {
    throw new Fault('the scale of an address is 1, 2, 4 or 8');
  }
  if (!baseToken && !indexToken) throw new Fault('an address in parentheses needs a register', `(${text})`);
  return {
    ...(baseToken ? { base: addressRegister(baseToken, 'base') } : {}),
    ...(indexToken ? { index: addressRegister(indexToken, 'index') } : {}),
    scale: factor.constant,
  };
}

function parseMemory(tokens: readonly Token[], start: number, segment: string | undefined, lookup: Lookup): Memory {
  const afterParenthesis = tokens[start + 1];
  const bare =
    isOperator(tokens[start], '(') && (afterParenthesis?.kind === 'register' || isOperator(afterParenthesis, ','));
  const { value, next } = bare ? { value: undefined, next: start } : parseExpression(tokens, start, lookup);
  const memory = {
    kind: 'memory' as const,
    ...(segment === undefined ? {} : { segment }),
    ...(value === undefined ? {} : { displacement: value }),
    literal: tokens.slice(start, next).every((token) => token.kind !== 'name'),
  };
  const rest = tokens[next];
  if (!rest) return memory;
  if (!isOperator(rest, '(')) throw new Fault(`unexpected "${rest.text}"`, rest.text);
  const close = tokens.findIndex((token, at) => at > next && isOperator(token, ')'));
  if (close < 0) throw new Fault('")" is missing in an address');
  const behind = tokens[close + 1];
  if (behind) throw new Fault(`unexpected "${behind.text}" behind an address`, behind.text);
  return { ...memory, registers: addressRegisters(tokens.slice(next + 1, close), lookup) };
}

/** Reads the tokens between two commas of an instruction. @throws Fault for anything that is not AT&T syntax */
export function parseOperand(tokens: readonly Token[], lookup: Lookup): Operand {
  const indirect = isOperator(tokens[0], '*');
  const start = indirect ? 1 : 0;
  const first = tokens[start];
  if (!first) throw new Fault('an operand is missing');
  if (isOperator(first, '$')) {
    return { indirect, kind: 'immediate', value: wholeExpression(tokens.slice(start + 1), lookup) };
  }
  if (first.kind === 'string') throw new Fault('a string cannot be an operand', first.text);
  if (first.kind !== 'register') return { indirect, ...parseMemory(tokens, start, undefined, lookup) };
  registerWidth(first.name);
  const second = tokens[start + 1];
  if (!second) return { indirect, kind: 'register', register: first.name };
  if (!isOperator(second, ':')) throw new Fault(`unexpected "${second.text}"`, second.text);
  if (!/^[cdefgs]s$/.test(first.name)) throw new Fault(`"${first.text}" is not a segment register`, first.text);
  return { indirect, ...parseMemory(tokens, start + 2, first.name, lookup) };
}

/**
 * The operand in the one spelling that Keystone is given.
 *
 * An address without registers is given the index %riz, which says "none": Keystone would otherwise make it relative
 * to rip, or 64 bits wide. The target of a jump (`isTarget`) is none.
 * @throws Fault, as renderExpression
 */
export function renderOperand(operand: Operand, isTarget: boolean): string {
  const star = operand.indirect ? '*' : '';
  if (operand.kind === 'register') return `${star}%${operand.register}`;
  if (operand.kind === 'immediate') return `${star}$${renderExpression(operand.value)}`;
  const segment = operand.segment === undefined ? '' : `%${operand.segment}:`;
  const displacement = operand.displacement === undefined ? '' : renderExpression(operand.displacement);
  if (!operand.registers) return `${star}${segment}${displacement}${isTarget ? '' : '(,%riz,1)'}`;
  const { base, index, scale } = operand.registers;
  const indexed = index === undefined ? '' : `,%${index},${scale}`;
  return `${star}${segment}${displacement}(${base === undefined ? '' : `%${base}`}${indexed})`;
}
