/** The words of a line as a shell has them: quotes keep spaces together. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g)].map(([word]) =>
    word.replace(/"([^"]*)"?|'([^']*)'?/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );
}

/** Words as a line that is split into the same ones. */
export function joinWords(words: readonly string[]): string {
  const quoted = (word: string): string => {
    if (word !== '' && !/[\s"']/.test(word)) return word;
    return (
      word
        .split('"')
        .map((part) => (part === '' ? '' : `"${part}"`))
        .join(`'"'`) || '""'
    );
  };
  return words.map(quoted).join(' ');
}
