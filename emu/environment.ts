/** A variable of the process's environment; undefined where it is not set, and in browsers, which have none. */
export function environment(name: 'MILLSCOPE_ENGINE' | 'MILLSCOPE_LIBUNICORN'): string | undefined {
  return typeof process === 'undefined' ? undefined : process.env?.[name] || undefined;
}
