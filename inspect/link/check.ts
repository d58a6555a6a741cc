import { printable } from '../../asm/printable.js';
import type { LinkedFile, LinkedRun } from './linked-run.js';

const MOST_FILES = 200;
const MOST_WORDS = 1000;
const MOST_NAME = 200;
/** MiB, as --memory has it. */
const MEMORY = { least: 16, most: 1800 } as const;

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** A text as messages show it. */
export function shortly(text: string): string {
  return `"${printable(text.length > 40 ? `${text.slice(0, 40)}…` : text)}"`;
}

/** What is wrong with the name of a file, which may come to be written into a folder. */
function wrongName(name: string): string | undefined {
  if (name === '' || name.length > MOST_NAME) return `a file's name has ${name.length} characters`;
  if (name === '.' || name === '..' || /[/\\:]/.test(name)) return `${shortly(name)} is a path, and no name of a file`;
  return HIDDEN.test(name) ? `the name ${shortly(name)} has characters that cannot be seen` : undefined;
}

/** The guest finds their ends by a zero byte. */
function wrongWords(what: string, words: readonly string[]): string | undefined {
  if (words.length > MOST_WORDS) return `there are ${words.length} ${what}, and ${MOST_WORDS} is the most`;
  const bad = words.find((word) => word.includes('\0'));
  return bad === undefined ? undefined : `${shortly(bad)} has a zero byte`;
}

function wrongFiles(files: readonly Pick<LinkedFile, 'name'>[]): string | undefined {
  if (files.length > MOST_FILES) return `there are ${files.length} files, and ${MOST_FILES} is the most`;
  const seen = new Set<string>();
  for (const { name } of files) {
    const wrong = wrongName(name);
    if (wrong !== undefined) return wrong;
    // On some machines these are one file.
    const key = name.toLowerCase();
    if (seen.has(key)) return `two files are called ${shortly(name)}`;
    seen.add(key);
  }
  return undefined;
}

/** What is wrong with a run that is to be or was in a link; undefined if nothing is. */
export function whatIsWrong({ files, runtime, seed, memory, moment, ...said }: LinkedRun): string | undefined {
  if (files.length === 0) return 'there is no file';
  const nameless = said.environment.find((variable) => !/^[^=]+=/.test(variable));
  if (nameless !== undefined) return `${shortly(nameless)} is no variable: it must be NAME=VALUE`;
  if (seed < 0n || seed >= 2n ** 64n) return `the seed ${seed} is not below 2^64`;
  if (!Number.isInteger(memory) || memory < MEMORY.least || memory > MEMORY.most) {
    return `there are ${memory} MiB of memory: it must be ${MEMORY.least} to ${MEMORY.most}`;
  }
  if (!Number.isSafeInteger(moment) || moment < 0) return `${moment} is no moment`;
  return (
    wrongName(said.name) ??
    wrongFiles([...files, ...runtime]) ??
    wrongWords('arguments', said.arguments) ??
    wrongWords('variables', said.environment)
  );
}
