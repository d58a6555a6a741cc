import { Fault } from './errors.js';
import {
  constantValue,
  type Expression,
  isConstant,
  type Lookup,
  renderExpression,
  splitAtCommas,
  wholeExpression,
} from './expression.js';
import type { Bound, Rendered } from './instruction.js';
import type { Statement } from './statement.js';

const WIDTHS: Readonly<Record<string, number>> = { '.byte': 1, '.short': 2, '.long': 4, '.quad': 8 };
const LARGEST_ALIGNMENT = 4096n;
/** No program is larger, so that a count with too many digits is a problem and not the end of the memory. */
export const MOST_BYTES = 64n << 20n;
/** As many of these are written out one by one. */
const MOST_PATTERNS = 100_000n;

const exactly = (text: string, size: number, bounds: readonly Bound[] = []): Rendered => {
  return { text, least: size, most: size, bounds };
};

function renderStrings({ directive, tokens }: Statement & { kind: 'data' }): Rendered {
  const parts = splitAtCommas(tokens);
  const bytes = parts.flatMap((part) => {
    const [token] = part;
    if (token?.kind !== 'string' || part.length !== 1) {
      throw new Fault(`"${directive}" takes strings with commas between them`);
    }
    return directive === '.asciz' ? [...token.bytes, 0] : token.bytes;
  });
  return exactly(bytes.length === 0 ? '' : `.byte ${bytes.join(',')}`, bytes.length);
}

const moved = (value: Expression, bytes: number): Expression => {
  return { ...value, constant: value.constant + BigInt(bytes) };
};

function renderNumbers({ directive, tokens }: Statement & { kind: 'data' }, width: number, lookup: Lookup): Rendered {
  const bits = BigInt(width * 8);
  const range = { least: -(1n << (bits - 1n)), most: (1n << bits) - 1n };
  const parts = splitAtCommas(tokens);
  const bounds: Bound[] = [];
  const values = parts.map((part, index) => {
    // Between two values the location counter has moved on; Keystone's has not.
    const here: Lookup = (name) => (name === '.' ? moved(lookup(name), index * width) : lookup(name));
    const value = wholeExpression(part, here);
    const text = renderExpression(value);
    if (!isConstant(value)) {
      if (width < 8) bounds.push({ value, ...range, reason: 'the value' });
    } else if (value.constant < range.least || value.constant > range.most) {
      throw new Fault(`the value ${value.constant} does not fit ${bits} bits`, `${value.constant}`);
    }
    return text;
  });
  return exactly(values.length === 0 ? '' : `${directive} ${values.join(',')}`, values.length * width, bounds);
}

function renderFill({ directive, tokens, section }: Statement & { kind: 'data' }, constants: Lookup): Rendered {
  const numbers = splitAtCommas(tokens).map((part) =>
    constantValue(part, constants, `each argument of "${directive}"`),
  );
  const [count, second = 0n, third = 0n] = directive === '.fill' ? [numbers[0], numbers[1] ?? 1n, numbers[2]] : numbers;
  if (count === undefined) throw new Fault(`"${directive}" needs a count`);
  const [size, value] = directive === '.fill' ? [second, third] : [1n, second];
  if (count < 0n) throw new Fault(`"${directive}": the count ${count} is negative`, `${count}`);
  if (size < 0n || size > 8n) throw new Fault(`".fill": the size ${size} is not within 0 to 8`, `${size}`);
  if (count * size > MOST_BYTES) throw new Fault(`"${directive}": ${count * size} bytes are more than ${MOST_BYTES}`);
  if (section === '.bss' && value !== 0n) throw new Fault('.bss has no bytes of its own: only zeros fit there');
  if (count * size === 0n) return exactly('', 0);
  // GNU as fills the upper half of an element of more than 4 bytes with zeros.
  const bits = BigInt.asUintN(Number(size < 4n ? size : 4n) * 8, value);
  const bytes = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].slice(0, Number(size)).map((at) => (bits >> (at * 8n)) & 0xffn);
  const [first = 0n] = bytes;
  const same = bytes.every((byte) => byte === first);
  if (!same && count > MOST_PATTERNS)
    throw new Fault(`".fill": the count ${count} is above ${MOST_PATTERNS}`, `${count}`);
  const text = same
    ? `.space ${count * size}, ${first}`
    : Array.from({ length: Number(count) }, () => `.byte ${bytes.join(',')}`).join('\n');
  return exactly(text, Number(count * size));
}

/** Renders a data directive for Keystone. @throws Fault for arguments that the directive cannot take */
export function renderData(statement: Statement & { kind: 'data' }, lookup: Lookup, constants: Lookup): Rendered {
  const { directive, section } = statement;
  const width = WIDTHS[directive];
  if (directive === '.space' || directive === '.fill') return renderFill(statement, constants);
  const rendered = width === undefined ? renderStrings(statement) : renderNumbers(statement, width, lookup);
  if (section === '.bss' && rendered.most > 0) throw new Fault('.bss has no bytes of its own: only zeros fit there');
  return rendered;
}

/** Renders `.align`, `.balign` and `.p2align`. @throws Fault for an alignment that an image cannot keep */
export function renderAlign(statement: Statement & { kind: 'align' }, constants: Lookup): Rendered {
  const { directive, section, tokens } = statement;
  const [first, fill, most] = splitAtCommas(tokens).map((part) => {
    return part.length === 0 ? undefined : constantValue(part, constants, `each argument of "${directive}"`);
  });
  if (first === undefined) throw new Fault(`"${directive}" needs a number`);
  if (first < 0n || first > LARGEST_ALIGNMENT) throw new Fault(`"${directive} ${first}" is out of range`, `${first}`);
  const boundary = directive === '.p2align' ? 1n << first : first === 0n ? 1n : first;
  if (boundary > LARGEST_ALIGNMENT || (boundary & (boundary - 1n)) !== 0n) {
    throw new Fault(`an alignment is a power of two up to ${LARGEST_ALIGNMENT}, not ${boundary}`, `${first}`);
  }
  if (section === '.bss' && (fill ?? 0n) !== 0n) throw new Fault('.bss has no bytes of its own: only zeros fit there');
  const skips = Number(boundary) - 1;
  // In code the padding is instructions that do nothing, in data it is zeros.
  const padding = fill === undefined ? (section === '.text' ? '' : '0') : `${BigInt.asUintN(8, fill)}`;
  const limit = most === undefined || most >= boundary ? '' : `, ${most}`;
  if (boundary === 1n) return exactly('', 0);
  return {
    text: `.balign ${boundary}${padding || limit ? `, ${padding}` : ''}${limit}`,
    least: 0,
    most: skips,
    bounds: [],
  };
}
