/** The person at the command line asked for something that cannot be done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
