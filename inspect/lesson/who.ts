/** How lessons and students name coroutines. */
export const WHO = String.raw`main|coroutine \d+`;

/** The id behind `main` or `coroutine 2`. */
export function idOf(who: string): number {
  return who === 'main' ? 0 : Number(who.replace('coroutine ', ''));
}

/** The ids behind `main, coroutine 2`; none behind `nobody`; undefined if it is no such list. */
export function idsOf(list: string): number[] | undefined {
  if (list === 'nobody') return [];
  const names = list.split(/\s*,\s*/);
  return names.every((name) => new RegExp(`^(?:${WHO})$`).test(name)) ? names.map(idOf) : undefined;
}
