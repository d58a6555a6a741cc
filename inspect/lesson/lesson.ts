import { Image, type ImageJson } from '../../asm/image.js';
import type { Source } from '../../asm/statement.js';
import { LessonError } from './error.js';
import type { LessonProgram } from './stage.js';
import { type LessonText, type Passage, readText } from './text.js';

/** The languages of every lesson, by their ISO 639 codes. */
export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What lesson.json says of a program. */
export interface Claim {
  /** `program.s`, `program.o`, …, in the lesson's folder. */
  readonly files: readonly string[];
  /** The lines that it prints. */
  readonly prints: readonly string[];
  /** How it ends, as `endingOf` says it. */
  readonly ends: string;
}

/** What lesson.json says: the programs of a lesson by their names, the first one first. */
export interface Manifest {
  readonly programs: Readonly<Record<string, Claim>>;
}

/** An instruction of a listing: its address, its length in bytes, its text. */
export type Listed = readonly [address: number, length: number, text: string];

/** A lesson as it is shipped: nothing in it needs an assembler, a disassembler or a file system. */
export interface LessonJson {
  /** Its folder's. */
  readonly name: string;
  readonly programs: Readonly<
    Record<
      string,
      Claim & { readonly image: ImageJson; readonly sources: readonly Source[]; readonly listing: readonly Listed[] }
    >
  >;
  readonly texts: Readonly<Record<Language, string>>;
}

/** A lesson to be taught. */
export interface Lesson {
  readonly name: string;
  readonly programs: ReadonlyMap<string, LessonProgram & Claim & { readonly listing: readonly Listed[] }>;
  readonly texts: Readonly<Record<Language, LessonText>>;
}

/** Reads lesson.json. @throws LessonError */
export function readManifest(text: string, file: string): Manifest {
  const refuse = (problem: string): never => {
    throw new LessonError(file, undefined, problem);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refuse(`this is no JSON: ${(error as Error).message}`);
  }
  const programs = isObject(json) && isObject(json.programs) ? Object.entries(json.programs) : [];
  if (programs.length === 0) refuse('write {"programs": {"main": {"files": …, "prints": …, "ends": …}}}');
  const claims = programs.map(([name, claim]): [string, Claim] => {
    if (!isObject(claim)) return refuse(`programs.${name} is no object`);
    const { files, prints, ends } = claim;
    if (!isTexts(files) || files.length === 0) return refuse(`programs.${name}.files is to be a list of file names`);
    if (!isTexts(prints)) return refuse(`programs.${name}.prints is to be a list of lines`);
    if (typeof ends !== 'string') return refuse(`programs.${name}.ends is to be text such as "exit 0" or "deadlock"`);
    return [name, { files, prints, ends }];
  });
  return { programs: Object.fromEntries(claims) };
}

/** Makes a lesson of what was shipped. @throws LessonError */
export function openLesson({ name, programs, texts }: LessonJson): Lesson {
  const text = (language: Language): LessonText => readText(texts[language], `${name}/${language}.md`);
  const lesson = {
    name,
    programs: new Map(
      Object.entries(programs).map(([program, json]) => [program, { ...json, image: Image.fromJSON(json.image) }]),
    ),
    texts: { en: text('en'), zh: text('zh') },
  };
  for (const { passages } of Object.values(lesson.texts)) for (const passage of passages) programOf(lesson, passage);
  return lesson;
}

/** The name of the program that a passage is about. @throws LessonError if the lesson has none of that name */
export function programOf({ programs }: Pick<Lesson, 'programs'>, { program, anchor }: Passage): string {
  const [only] = programs.keys();
  if (program === undefined && programs.size === 1) return only;
  if (program !== undefined && programs.has(program)) return program;
  const names = [...programs.keys()].join(', ');
  const problem = program === undefined ? 'this lesson has several programs' : `there is no program "${program}"`;
  throw new LessonError(anchor.file, anchor.line, `${problem}: write <!-- program: … --> with one of ${names}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
