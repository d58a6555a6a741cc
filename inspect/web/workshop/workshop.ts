import { readObject } from '../../../asm/elf/object.js';
import type { Source } from '../../../asm/statement.js';
import { UsageError } from '../../errors.js';
import { listingOf } from '../../lesson/listing.js';
import type { OpenCpu } from '../../probe/machine.js';
import { measure } from '../../probe/measure.js';
import { type EditedRuntime, linkProgram } from '../../program-image.js';
import { runtimeWith } from '../../runtime-with.js';
import { measuredOf } from './measured.js';
import { breakSwitch, checkSound } from './mutate.js';
import { problemsOf } from './problems.js';
import type { BuiltProgram, ProgramFile, Unbuilt, WorkshopKind, WorkshopRequests } from './protocol.js';
import { prepareSwitch, SEQUENCES, switchSources } from './switch.js';

/** What a workshop is made of, each loaded when it is needed for the first time. */
export interface Parts {
  /** All sources of the runtime, the `.inc` files included. */
  runtime(): Promise<readonly Source[]>;
  /** Keystone. */
  assembler(): Promise<void>;
  /** Capstone. */
  disassembler(): Promise<void>;
  engine(): Promise<OpenCpu>;
}

/** Builds what is in an editor, and tries the switch that is in it. */
export class Workshop implements Answers {
  readonly #parts: Parts;
  /** The latest edited runtime: most of what is built has the same one as what was built before. */
  #latest: EditedRuntime | undefined;
  /** The text of the latest switch that was found sound, since one is broken again and again. */
  #sound: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async build({ files, runtime }: WorkshopRequests['build']['ask']): Promise<WorkshopRequests['build']['reply']> {
    const texts = files.filter(isText);
    const edited = await this.#edited(runtime);
    const [first] = files;
    return tried([...texts, ...edited], first?.name ?? '', async () => {
      await this.#parts.assembler();
      return { kind: 'built', program: await this.#built(files, texts, edited) };
    });
  }

  async measure({ runtime }: WorkshopRequests['measure']['ask']): Promise<WorkshopRequests['measure']['reply']> {
    const own = await this.#parts.runtime();
    const sources = switchSources(own, runtime);
    return tried(sources, SEQUENCES[0], async () => {
      await this.#parts.assembler();
      return measuredOf(measure(await prepareSwitch(own, sources, await this.#parts.engine())));
    });
  }

  async mutate({ seed, runtime }: WorkshopRequests['mutate']['ask']): Promise<WorkshopRequests['mutate']['reply']> {
    const own = await this.#parts.runtime();
    await this.#parts.assembler();
    const open = await this.#parts.engine();
    const text = JSON.stringify(switchSources(own, runtime));
    if (this.#sound !== text) await checkSound(own, runtime, open);
    this.#sound = text;
    return breakSwitch(seed, own, runtime, open);
  }

  async #built(
    files: readonly ProgramFile[],
    texts: readonly ProgramText[],
    edited: readonly Source[],
  ): Promise<BuiltProgram> {
    const objects = files.flatMap((file) => (isText(file) ? [] : [readObject(file)]));
    const sources = texts.filter(({ name, beside }) => name.endsWith('.s') && beside !== true);
    const runtime = edited.length === 0 ? undefined : await this.#runtimeWith(edited);
    const include = (name: string): Source | undefined => texts.find((text) => text.name === name);
    const image = await linkProgram(objects, { sources, include, runtime });
    if (!image.symbols.has('main')) throw new UsageError('the program has no main: define a global symbol main');
    await this.#parts.disassembler();
    const listing = await listingOf(image);
    return {
      image: image.toJSON(),
      runtime: runtime?.image.toJSON(),
      listing: runtime === undefined ? listing : [...(await listingOf(runtime.image)), ...listing],
      sources: [...texts, ...edited],
    };
  }

  /** Those that are not as the runtime has them. */
  async #edited(sources: readonly Source[]): Promise<readonly Source[]> {
    const own = sources.length === 0 ? [] : await this.#parts.runtime();
    return sources.filter(({ name, text }) => own.find((one) => one.name === name)?.text !== text);
  }

  async #runtimeWith(sources: readonly Source[]): Promise<EditedRuntime> {
    const latest = this.#latest;
    const isSame =
      latest?.sources.length === sources.length &&
      sources.every(({ name, text }) => {
        return latest.sources.some((one) => one.name === name && one.text === text);
      });
    if (latest !== undefined && isSame) return latest;
    this.#latest = { image: await runtimeWith(await this.#parts.runtime(), sources), sources };
    return this.#latest;
  }
}

type Answers = {
  readonly [K in WorkshopKind]: (ask: WorkshopRequests[K]['ask']) => Promise<WorkshopRequests[K]['reply']>;
};

type ProgramText = Extract<ProgramFile, Source>;

function isText(file: ProgramFile): file is ProgramText {
  return 'text' in file;
}

/** What comes of it, or what is wrong in the texts. @param file where it is said if nothing is known of the place */
async function tried<Made>(texts: readonly Source[], file: string, make: () => Promise<Made>): Promise<Made | Unbuilt> {
  try {
    return await make();
  } catch (error) {
    const problems = problemsOf(error, texts, file);
    if (problems === undefined) throw error;
    return { kind: 'problems', problems };
  }
}
