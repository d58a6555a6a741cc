import type { Source } from '../../asm/statement.js';
import type { Language, Listed } from '../lesson/lesson.js';

/** `lessons/index.json`: the lessons in their order. */
export type Contents = readonly {
  /** Of its folder; its file is `lessons/NAME.json`. */
  readonly name: string;
  readonly titles: Readonly<Record<Language, string>>;
}[];

/** `lessons/runtime.json`: the guest side of the runtime as people read it. */
export interface Runtime {
  readonly listing: readonly Listed[];
  readonly sources: readonly Source[];
}
