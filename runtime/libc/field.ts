import type { Conversion } from './conversion.js';
import type { Text } from './text.js';

/** A number without sign or prefix. Zeros are counted, not written: a precision may ask for billions. */
export interface Body {
  readonly leadingZeros: number;
  readonly text: string;
  readonly trailingZeros: number;
  readonly suffix: string;
}

/** A text that has nothing of a number's about it. */
export const plain = (text: string): Body => ({ leadingZeros: 0, text, trailingZeros: 0, suffix: '' });

/**
 * Puts a number into a field of its width.
 * @param prefix the sign and `0x`: a field filled with zeros has them in front of the zeros
 * @param zeros whether such a number may be filled up with zeros
 * @returns whether there was room for all of it
 */
export function addNumber(text: Text, { left, zero, width }: Conversion, prefix: string, body: Body, zeros: boolean) {
  const length = prefix.length + body.leadingZeros + body.text.length + body.trailingZeros + body.suffix.length;
  const padding = width - length;
  const filled = zero && zeros && !left;
  return (
    text.repeat(' ', left || filled ? 0 : padding) &&
    text.add(prefix) &&
    text.repeat('0', body.leadingZeros + (filled ? Math.max(padding, 0) : 0)) &&
    text.add(body.text) &&
    text.repeat('0', body.trailingZeros) &&
    text.add(body.suffix) &&
    text.repeat(' ', left ? padding : 0)
  );
}

/** Puts characters into a field of their width. @returns whether there was room for all of them */
export function addCharacters(text: Text, { left, width }: Conversion, bytes: Uint8Array): boolean {
  const padding = width - bytes.length;
  return text.repeat(' ', left ? 0 : padding) && text.add(bytes) && text.repeat(' ', left ? padding : 0);
}
