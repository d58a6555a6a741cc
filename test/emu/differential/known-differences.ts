/**
 * Faults of the engines that this test has found, with the engines that have them. Sequences for an engine are made
 * without what its faults are about; known-differences.test.ts shows each of them.
 */
export const KNOWN = {
  'double shift at rip': ['unicorn.js', 'native'],
  'choice of two NaNs': ['unicorn.js', 'native'],
  'flush to zero': ['unicorn.js', 'native'],
  'exceptions in mxcsr': ['unicorn.js', 'native'],
  'signalling NaN converted': ['unicorn.js'],
  'cmpxchg8b forgets flags': ['native'],
  'cmpxchg of 32 bits': ['native'],
  'locked neg': ['native'],
  'min and max of denormals': ['unicorn.js', 'native'],
  'access of read-modify-write': ['unicorn.js', 'native'],
  'target across pages': ['unicorn.js'],
  'flags of a divide error': ['unicorn.js'],
  'leave is not undone': ['unicorn.js'],
  'half a vector loaded': ['unicorn.js', 'native'],
  'eight bytes loaded as sixteen': ['unicorn.js', 'native'],
  'stack fault': ['unicorn.js', 'native'],
  'jump out of the address space': ['unicorn.js', 'native'],
  'lock is not checked': ['unicorn.js', 'native'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Known = keyof typeof KNOWN;

/** What one of these engines does wrong. */
export function knownOf(engines: readonly string[]): ReadonlySet<Known> {
  const names = Object.keys(KNOWN) as Known[];
  return new Set(names.filter((name) => KNOWN[name].some((engine) => engines.includes(engine))));
}
