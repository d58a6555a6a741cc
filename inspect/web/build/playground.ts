import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { Image } from '../../../asm/image.js';
import { loadKeystone } from '../../../asm/keystone.js';
import type { Source } from '../../../asm/statement.js';
import { loadCapstone } from '../../../emu/capstone.js';
import { DEFAULT_MEMORY, openCpu } from '../../../emu/open.js';
import { libmill } from '../../../runtime/libmill.js';
import { Process } from '../../../runtime/process.js';
import { loadEngine, openMachine } from '../../engine.js';
import { momentsOf, readAnchor } from '../../lesson/anchor.js';
import { LessonError } from '../../lesson/error.js';
import { lessonNames } from '../../lesson/folder.js';
import { type Language, readManifest } from '../../lesson/lesson.js';
import { readText } from '../../lesson/text.js';
import { runtimeSources } from '../../runtime-files.js';
import { Session } from '../../session.js';
import type { PlaygroundContents, ShippedRun } from '../playground/contents.js';
import type { BuiltProgram, ProgramFile } from '../workshop/protocol.js';
import { Workshop } from '../workshop/workshop.js';

/** A program that comes with the page, as `fixtures/playground/index.json` lists it. */
export interface Listed {
  readonly name: string;
  /** As are the next: in the folder of the fixtures. */
  readonly files: readonly string[];
  readonly runtime?: readonly string[];
  /** An anchor, as lessons have them. */
  readonly at?: string;
  readonly titles: Readonly<Record<Language, string>>;
}

/** What the playground can open: what is listed, and the programs of the lessons. @throws LessonError */
export function playgroundPrograms(fixtures: string, lessons: string): Listed[] {
  const listed: Listed[] = JSON.parse(readFileSync(join(fixtures, 'playground/index.json'), 'utf8'));
  const taught = lessonNames(lessons).flatMap((lesson): Listed[] => {
    const folder = join(lessons, lesson);
    const { programs } = readManifest(readFileSync(join(folder, 'lesson.json'), 'utf8'), join(folder, 'lesson.json'));
    const title = (language: Language): string =>
      readText(readFileSync(join(folder, `${language}.md`), 'utf8'), `${lesson}/${language}.md`).title;
    const several = Object.keys(programs).length > 1;
    return Object.entries(programs).map(([program, { files }]) => ({
      name: several ? `${lesson}-${program}` : lesson,
      files: files.map((file) => join(folder, file)),
      titles: {
        en: several ? `${title('en')}: ${program}` : title('en'),
        zh: several ? `${title('zh')}: ${program}` : title('zh'),
      },
    }));
  });
  return [...listed.map((one) => within(fixtures, one)), ...taught];
}

function within(folder: string, { files, runtime = [], ...rest }: Listed): Listed {
  const path = (name: string): string => join(folder, name);
  return { ...rest, files: files.map(path), runtime: runtime.map(path) };
}

/**
 * A program as it is shipped: built, and at the moment that it is about, which the machine has found.
 * @throws LessonError if it cannot be built, or there is no such moment
 */
export async function shippedRun({
  name,
  files: paths,
  runtime: edited = [],
  at = 'start',
}: Listed): Promise<ShippedRun> {
  const files = paths.flatMap(filesOf);
  const runtime = edited.map(readSource);
  const workshop = new Workshop({
    runtime: async () => runtimeSources(),
    assembler: () => loadKeystone(),
    disassembler: async () => void (await loadCapstone()),
    engine: async () => openMachine,
  });
  const built = await workshop.build({ files, runtime });
  if (built.kind === 'problems') {
    const [{ file, line, message }] = built.problems;
    throw new LessonError(file, line, message);
  }
  const { program } = built;
  const run = {
    name: basename(paths[0]),
    arguments: [],
    environment: [],
    seed: '0',
    memory: DEFAULT_MEMORY >> 20,
  };
  const moment = await momentOf(program, run.name, at, name);
  return { ...run, files: files.map(shipped), runtime, moment, program };
}

async function momentOf(
  { image, runtime, sources }: BuiltProgram,
  name: string,
  at: string,
  entry: string,
): Promise<number> {
  if (at === 'start') return 0;
  await loadEngine();
  const cpu = openCpu();
  try {
    const guest = runtime === undefined ? libmill() : Image.fromJSON(runtime);
    const session = new Session(new Process(cpu, guest, Image.fromJSON(image), [name]));
    const [moment] = await momentsOf({ session, sources }, [readAnchor(at, `playground/index.json: ${entry}`, 1)]);
    return moment;
  } finally {
    cpu.close();
  }
}

function readSource(path: string): Source {
  return { name: basename(path), text: readFileSync(path, 'utf8') };
}

/** A file with what is to be read with it: what assembly text includes, what an object is made of. */
function filesOf(path: string): ProgramFile[] {
  if (!path.endsWith('.s')) {
    const bytes = new Uint8Array(readFileSync(path));
    return [{ name: basename(path), bytes }, readSource(path.replace(/\.o$/, '.c'))];
  }
  const source = readSource(path);
  const included = [...source.text.matchAll(/^\s*\.include\s+"([^"]+)"/gm)].map(([, name]) =>
    join(dirname(path), name),
  );
  // What is not beside it is the runtime's.
  return [source, ...included.filter((name) => existsSync(name)).map(readSource)];
}

function shipped(file: ProgramFile): ShippedRun['files'][number] {
  return 'text' in file ? file : { name: file.name, base64: Buffer.from(file.bytes).toString('base64') };
}

/** Puts the programs of the playground beside the page, each as one JSON file, with an index of them. */
export function playground(fixtures: string, lessons: string): Plugin {
  return {
    name: 'playground',
    apply: 'build',
    async generateBundle() {
      const emit = (name: string, content: unknown): void => {
        this.emitFile({ type: 'asset', fileName: `playground/${name}.json`, source: JSON.stringify(content) });
      };
      const programs = playgroundPrograms(fixtures, lessons);
      for (const one of programs) emit(one.name, await shippedRun(one));
      emit('index', programs.map(({ name, titles }) => ({ name, titles })) satisfies PlaygroundContents);
    },
  };
}
