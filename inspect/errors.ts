/** The person at the command line asked for something that cannot be done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A run cannot be moved to where it was asked to go, or is not the same the second time. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}
