import { shortly, whatIsWrong } from './check.js';
import { decode, encode } from './content.js';
import { RunLinkError } from './error.js';
import type { LinkedRun } from './linked-run.js';
import { pack, unpack } from './packed.js';

/**
 * Of what the text behind the number means. A moment is a count of instructions, those of the runtime included: with
 * another runtime it is another moment, and this is to be another number.
 */
export const VERSION = 1;
const KEY = 'run';

/**
 * Characters of a fragment. A link is also an argument of `millscope open`, and a command line on Windows has 32,767
 * of them; a comment on GitHub has 65,536, and browsers take more.
 */
export const MOST_CHARACTERS = 32_000;

/** Bytes that a link may hold when it is unpacked; a deflated byte can become a thousand. */
export const MOST_BYTES = 1 << 20;

const COPY = 'copy all of it again, or ask whoever sent it for another';

/**
 * The fragment of an address that opens a run at its moment: `run=1.` and the run, packed. The same run gives the same.
 * @throws RunLinkError if it is too large, or has what no link can hold
 */
export async function writeLink(run: LinkedRun): Promise<string> {
  const wrong = whatIsWrong(run);
  if (wrong !== undefined) throw new RunLinkError(`no link can be made: ${wrong}`);
  const bytes = encode(run);
  if (bytes.length > MOST_BYTES) {
    throw new RunLinkError(
      `no link can be made: the program has ${bytes.length} bytes, and ${MOST_BYTES} is the most: send its files instead`,
    );
  }
  const fragment = `${KEY}=${VERSION}.${await pack(bytes)}`;
  if (fragment.length <= MOST_CHARACTERS) return fragment;
  throw new RunLinkError(
    `no link can be made: it would have ${fragment.length} characters, and ${MOST_CHARACTERS} is the most that every ` +
      'command line takes: send the files instead, with the command that goes to the moment',
  );
}

/**
 * Reads a link that {@link writeLink} has made.
 * @param text an address, its fragment with or without the `#`; white space in it is left out
 * @throws RunLinkError if it is none, is damaged, is of a newer millscope, or holds what no link can hold
 */
export async function readLink(text: string): Promise<LinkedRun> {
  const fragment = text.replace(/\s+/g, '').replace(/^[^#]*#/, '');
  const value = fragment
    .split('&')
    .find((field) => field.startsWith(`${KEY}=`))
    ?.slice(KEY.length + 1);
  if (value === undefined) {
    throw new RunLinkError(`${shortly(text)} is no link to a moment: such a link has #${KEY}=… at its end`);
  }
  if (fragment.length > MOST_CHARACTERS) {
    throw new RunLinkError(`the link has ${fragment.length} characters, and ${MOST_CHARACTERS} is the most: ${COPY}`);
  }
  const [, version, packed] = /^([1-9]\d{0,8})\.([\w-]+)$/.exec(value) ?? [];
  if (version === undefined || packed === undefined) throw new RunLinkError(`the link is cut off or damaged: ${COPY}`);
  if (Number(version) !== VERSION) {
    throw new RunLinkError(
      `the link is of version ${version}, and this millscope reads version ${VERSION}: update it, and open the link again`,
    );
  }
  try {
    const run = decode(await unpack(packed, MOST_BYTES));
    const wrong = whatIsWrong(run);
    if (wrong !== undefined) throw new RunLinkError(wrong);
    return run;
  } catch (error) {
    if (error instanceof RunLinkError) throw new RunLinkError(`the link cannot be opened: ${error.message}: ${COPY}`);
    throw error;
  }
}
