/** A register's value of those that are given as pairs of their low and high 32 bits. */
export function registerValue(words: Uint32Array, index: number): bigint {
  return (BigInt(words[index * 2 + 1]) << 32n) | BigInt(words[index * 2]);
}
