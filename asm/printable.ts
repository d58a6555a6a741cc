/**
 * Text from a file as messages show it: what would act on a terminal instead of showing becomes \\x1b.
 * @param kept control characters that stay
 */
export function printable(text: string, kept = ''): string {
  const code = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => (kept.includes(character) ? character : code(character)));
}
