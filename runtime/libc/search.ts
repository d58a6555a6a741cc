/** Where `needle` begins in `haystack` for the first time, or -1. Nothing is found everywhere. */
export function indexOf(haystack: Uint8Array, needle: Uint8Array): number {
  if (needle.length === 0) return 0;
  const last = haystack.length - needle.length;
  for (let start = haystack.indexOf(needle[0]); start !== -1 && start <= last; ) {
    if (needle.every((byte, index) => haystack[start + index] === byte)) return start;
    start = haystack.indexOf(needle[0], start + 1);
  }
  return -1;
}
