/** Links in messages: a run is noted when it is loaded, so that its links hold what has run, and not what was written later. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Image } from '../asm/image.js';
import type { Source } from '../asm/statement.js';
import type { Body } from '../runtime/bodies.js';
import { isCompiled } from './compile.js';
import { UsageError } from './errors.js';
import { RunLinkError } from './link/error.js';
import { leanObject } from './link/lean.js';
import { writeLink } from './link/link.js';
import type { LinkedFile, LinkedObject, LinkedRun } from './link/linked-run.js';
import { SITE } from './link/site.js';
import { isProbe } from './probe/options.js';
import { loadProgram, readFiles } from './program.js';
import { type EditedRuntime, linkProgram, membersFor, type ProgramFiles } from './program-image.js';
import { calledAs, type Run } from './run.js';

const noted = new WeakMap<Run, LinkedRun>();

/** Why a run cannot be in a link, whatever its size. */
function whyNot({ paths, options }: Run): string | undefined {
  if (isProbe(options)) return 'it is the probe of a switch, which is no program of its own';
  if (options.clock === 'real') return 'it is on the real clock, and never the same again';
  const module = paths.find((path) => /\.m?js$/.test(path));
  return module === undefined ? undefined : `${module} is a module, and a link holds assembly text and objects only`;
}

/** An object as a link holds it, and what it was compiled from. */
function filesOf(object: LinkedObject, paths: readonly string[]): LinkedFile[] {
  const path = paths.find((one) => isCompiled(one) && (one === object.name || basename(one) === object.name));
  const name = path === undefined ? object.name : `${object.name}.o`;
  const file = { name, bytes: leanObject(name, object.bytes) };
  return path === undefined ? [file] : [file, { name: object.name, text: readFileSync(path, 'utf8'), beside: true }];
}

/** Whether a text that another one includes is there for itself, too. */
function isIn(sources: readonly Source[], { name, text }: Source): boolean {
  return sources.some((source) => source.name === name && source.text === text);
}

/** @param included by assembly text */
async function note(
  run: Run,
  files: ProgramFiles & { readonly runtime: EditedRuntime | undefined },
  included: readonly Source[],
): Promise<void> {
  const { seed, memory, env } = run.options;
  const objects = [...files.objects, ...(files.archives.length === 0 ? [] : await membersFor(files.objects, files))];
  noted.set(run, {
    files: [
      ...files.sources.map(({ name, text }) => ({ name, text })),
      ...included.map(({ name, text }): LinkedFile => ({ name, text, beside: true })),
      ...objects.flatMap((object) => filesOf(object, run.paths)),
    ],
    runtime: (files.runtime?.sources ?? []).map(({ name, text }) => ({ name, text })),
    arguments: run.arguments,
    name: calledAs(run),
    environment: env,
    seed,
    memory,
    moment: 0,
  });
}

/**
 * Loads the program of a run whose messages are to have links, if that is possible.
 * @param runtime what it is to run on, if not on the runtime of this package
 * @throws UsageError for a site that is none, and what loading throws
 */
export async function loadLinkable(run: Run, runtime: EditedRuntime | undefined): Promise<Image | Body> {
  const { paths, options } = run;
  siteOf(run);
  if (whyNot(run) !== undefined) return loadProgram(paths, options.cc, options.archive, runtime);
  const read = await readFiles(paths, options.cc, options.archive);
  const included = new Map<string, Source>();
  const include = (name: string): Source | undefined => {
    const source = read.include(name);
    if (source !== undefined && !isIn(read.sources, source)) included.set(name, source);
    return source;
  };
  const program = await linkProgram(read.objects, { ...read, include, runtime });
  await note(run, { ...read, runtime }, [...included.values()]);
  return program;
}

/** The address that links begin with. @throws UsageError if it is none */
function siteOf({ options: { link } }: Run): string {
  const site = typeof link === 'string' ? link : (process.env.MILLSCOPE_SITE ?? SITE);
  if (!URL.canParse(site)) throw new UsageError(`MILLSCOPE_SITE=${site}: it must be an address (https://…)`);
  return site.replace(/#.*$/s, '');
}

/** A link, or why there is none. */
export type LinkField = { readonly link: string } | { readonly noLink: string };

/** For JSON that names a moment of a run that was opened; nothing if no links were asked for. */
export async function linkField(run: Run, moment: number): Promise<LinkField | Record<string, never>> {
  if (run.options.link === undefined) return {};
  const linked = noted.get(run);
  if (linked === undefined) return { noLink: `no link can be made of this run: ${whyNot(run) ?? 'it was not loaded'}` };
  try {
    return { link: `${siteOf(run)}#${await writeLink({ ...linked, moment })}` };
  } catch (error) {
    if (!(error instanceof RunLinkError)) throw error;
    return { noLink: error.message };
  }
}

/** For messages that name a moment of a run that was opened; none if no links were asked for. */
export async function linkLines(run: Run, moment: number): Promise<readonly string[]> {
  const field = await linkField(run, moment);
  if ('link' in field) return [`as a link: ${field.link}`];
  return 'noLink' in field ? [`${field.noLink}`] : [];
}
