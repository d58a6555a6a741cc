/** An exact number without its sign: 0.d1d2d3… × 10^point. Zero has no digits; others begin with one that is not 0. */
export interface Decimal {
  readonly digits: string;
  readonly point: number;
}

const ZERO: Decimal = { digits: '', point: 0 };

/** mantissa × 2^exponent, exactly. */
export function decimalOf(mantissa: bigint, exponent: number): Decimal {
  if (mantissa === 0n) return ZERO;
  if (exponent >= 0) {
    const digits = (mantissa << BigInt(exponent)).toString();
    return { digits, point: digits.length };
  }
  // m / 2^n is m × 5^n / 10^n. A number that is short in binary is short here too.
  let [odd, places] = [mantissa, -exponent];
  while (places >= 32 && (odd & 0xffffffffn) === 0n) [odd, places] = [odd >> 32n, places - 32];
  while (places > 0 && (odd & 1n) === 0n) [odd, places] = [odd >> 1n, places - 1];
  const digits = (odd * 5n ** BigInt(places)).toString();
  return { digits, point: digits.length - places };
}

/** Rounded to its first `kept` digits, to nearest; of two that are equally near, to the even one. */
export function roundDecimal(number: Decimal, kept: number): Decimal {
  const { digits, point } = number;
  if (kept >= digits.length) return number;
  if (kept < 0) return ZERO;
  const head = digits.slice(0, kept);
  if (!roundsUp(digits, kept)) return kept === 0 ? ZERO : { digits: head, point };
  const nines = trailing(head, '9');
  if (nines === kept) return { digits: '1', point: point + 1 };
  const last = kept - nines - 1;
  return { digits: head.slice(0, last) + String(Number(head[last]) + 1), point };
}

/** Whether what comes at `kept` and behind makes the digits in front of it one more. */
function roundsUp(digits: string, kept: number): boolean {
  if (digits[kept] !== '5') return digits[kept] > '5';
  const tie = kept + 1 + trailing(digits.slice(kept + 1), '0') === digits.length;
  return !tie || (kept > 0 && Number(digits[kept - 1]) % 2 === 1);
}

/** How often a text has `character` at its end. */
export function trailing(text: string, character: string): number {
  let count = 0;
  while (count < text.length && text[text.length - 1 - count] === character) count++;
  return count;
}
