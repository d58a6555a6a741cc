import { SECTION_NAMES, type SectionName } from './statement.js';

/** Directives that say nothing to a static image: symbol types and sizes, debugging and unwinding information. */
const IGNORED = new Set(
  `.type .size .file .ident .loc .att_syntax .code64 .local .hidden .internal .protected .extern .version .addrsig
   .addrsig_sym`.split(/\s+/),
);

/** Whether a GNU directive can be left out without changing the image. */
export function isIgnored(directive: string): boolean {
  return IGNORED.has(directive) || directive.startsWith('.cfi_');
}

/** Each data directive as Keystone knows it, by its GNU names. */
export const DATA_DIRECTIVES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '.byte': '.byte',
    '.short': '.short .word .value .hword .2byte',
    '.long': '.long .int .4byte',
    '.quad': '.quad .8byte',
    '.float': '.float .single',
    '.double': '.double',
    '.ascii': '.ascii',
    '.asciz': '.asciz .string',
    '.space': '.space .skip .zero',
    '.fill': '.fill',
  }).flatMap(([own, names]) => names.split(' ').map((name): [string, string] => [name, own])),
);

/** Directives that move to a multiple of something. */
export const ALIGN_DIRECTIVES: ReadonlySet<string> = new Set(['.align', '.balign', '.p2align']);

const REFUSED: Readonly<Record<string, string>> = {
  '.intel_syntax': 'Intel syntax is not supported here: write AT&T syntax (source, destination; %registers, $numbers)',
  '.org': '".org" is not supported: use .balign, or .skip with a number of bytes',
  '.code32': 'only 64-bit code is supported',
  '.code16': 'only 64-bit code is supported',
  '.endm': '".endm" without a ".macro"',
  '.endr': '".endr" without a ".rept"',
};

/** Why a directive is not assembled. */
export function refusal(directive: string): string {
  return REFUSED[directive] ?? `unknown directive "${directive}"`;
}

/** Every directive that means something here, for suggestions. */
export function knownDirectives(): string[] {
  const others =
    '.text .data .bss .rodata .section .globl .global .weak .macro .endm .rept .endr .include .set .equ .equiv';
  return [...DATA_DIRECTIVES.keys(), ...ALIGN_DIRECTIVES, ...others.split(' '), '.comm', '.lcomm'];
}

/**
 * The section that a `.section` name stands for: `.text.hot` is .text, and so on; 'ignored' for notes to the linker.
 * Undefined for a section that an image does not have.
 */
export function sectionOf(name: string): SectionName | 'ignored' | undefined {
  if (/^\.(note\b|comment$)/.test(name)) return 'ignored';
  return SECTION_NAMES.find((own) => name === own || name.startsWith(`${own}.`));
}
