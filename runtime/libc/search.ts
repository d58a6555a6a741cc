/**
 * Where `needle` begins in `haystack` for the first time, or -1. Nothing is found everywhere. Takes as many steps as both
 * have bytes (Knuth, Morris, Pratt), since a guest chooses what they are.
 */
export function indexOf(haystack: Uint8Array, needle: Uint8Array): number {
  if (needle.length === 0) return 0;
  /** Of each of its starts: how long the longest is that it also ends with, itself aside. */
  const borders = new Uint32Array(needle.length);
  const extend = (matched: number, byte: number): number => {
    let length = matched;
    while (length > 0 && needle[length] !== byte) length = borders[length - 1];
    return needle[length] === byte ? length + 1 : 0;
  };
  for (let at = 1; at < needle.length; at++) borders[at] = extend(borders[at - 1], needle[at]);
  let matched = 0;
  for (let at = haystack.indexOf(needle[0]); at !== -1 && at < haystack.length; at++) {
    matched = extend(matched, haystack[at]);
    if (matched === needle.length) return at + 1 - matched;
  }
  return -1;
}
