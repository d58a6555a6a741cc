/**
 * The bytes of machine code written as a listing: in each line two digits for each byte, then `|`, then the same in GNU
 * syntax for the reader. What is written there instead of assembled needs no Keystone.
 */
export function bytesOf(listing: string): Uint8Array {
  const digits = listing.split('\n').flatMap((line) => line.split('|', 1)[0].match(/[0-9a-f]{2}/g) ?? []);
  return Uint8Array.from(digits, (byte) => Number.parseInt(byte, 16));
}
