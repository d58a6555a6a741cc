/** What is written in a lesson cannot be followed: where, what, and what to write instead. */
export class LessonError extends Error {
  override readonly name = 'LessonError';

  /** @param line counting from 1; undefined if it is about the whole file */
  constructor(
    readonly file: string,
    readonly line: number | undefined,
    problem: string,
  ) {
    super(`${line === undefined ? file : `${file}:${line}`}: ${problem}`);
  }
}
