import type { Source } from '../../../asm/statement.js';
import type { Code } from '../../probe/code.js';
import type { OpenCpu } from '../../probe/machine.js';
import { prepare } from '../../probe/prepare.js';

/** The files of libmill's two sequences: the one that saves, the one that restores. */
export const SEQUENCES = ['mill_setjmp.s', 'mill_longjmp.s'] as const;
/** The registers in which they get the ctx, which the code around them in libmill.s decides. */
const CTX = ['rdx', 'rax'] as const;

/** The sources of the switch, each as edited or as the runtime has it. */
export function switchSources(own: readonly Source[], edited: readonly Source[]): Source[] {
  return SEQUENCES.flatMap((file) => [...edited, ...own].find(({ name }) => name === file) ?? []);
}

/**
 * The switch, ready to be measured.
 * @param own all sources of the runtime
 * @throws AssemblyError, UsageError
 */
export async function prepareSwitch(own: readonly Source[], sources: readonly Source[], open: OpenCpu): Promise<Code> {
  const include = (name: string): Source | undefined => own.find((source) => source.name === name);
  const [code] = await prepare({ objects: [], archives: [], sources, include }, { ctx: CTX }, open);
  return code;
}
