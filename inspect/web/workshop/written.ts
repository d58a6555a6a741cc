import type { Source } from '../../../asm/statement.js';
import { type InstructionText, parse, write } from '../../mutants/syntax.js';

/** A line of a source that is one instruction. */
export interface WrittenInstruction {
  readonly file: string;
  /** Counting from 1. */
  readonly line: number;
  readonly text: InstructionText;
}

/** What is in front of an instruction, the instruction, and what is behind it. */
const LINE = /^(\s*)([a-z]\w*)(\s+)([^\s#;/][^#;/]*?)(\s*(?:#.*)?)$/;

/** The lines of a text that are nothing but an instruction with operands, as it is written there. */
export function writtenIn({ name, text }: Source): WrittenInstruction[] {
  return text.split('\n').flatMap((whole, index) => {
    const [, , mnemonic, , operands] = LINE.exec(whole) ?? [];
    return mnemonic === undefined ? [] : [{ file: name, line: index + 1, text: parse(mnemonic, operands) }];
  });
}

/** A text with another instruction in a line, in the columns of the old one. @param changed undefined: without the line */
export function rewritten({ name, text }: Source, line: number, changed: InstructionText | undefined): Source {
  const lines = text.split('\n');
  const [, indent = '', mnemonic = '', space = ' ', , rest = ''] = LINE.exec(lines[line - 1]) ?? [];
  if (changed === undefined) return { name, text: lines.toSpliced(line - 1, 1).join('\n') };
  const width = mnemonic.length + space.length;
  const operands = write(changed).slice(changed.mnemonic.length).trimStart();
  const instruction = `${indent}${changed.mnemonic.padEnd(width - 1)} ${operands}${rest}`;
  return { name, text: lines.with(line - 1, instruction).join('\n') };
}
