/** A link to a moment cannot be read, or a run cannot be put into one. The message says why, and what to do. */
export class RunLinkError extends Error {
  override readonly name = 'RunLinkError';
}
