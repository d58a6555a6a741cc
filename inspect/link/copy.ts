import { GENERAL_REGISTERS, type GeneralRegister } from '../../emu/registers.js';
import type { LinkedFile, LinkedRun } from './linked-run.js';
import { toBase64 } from './packed.js';

/** Registers as they are at a moment. */
export type Reading = Readonly<Record<GeneralRegister | 'rip', bigint>>;

/** Characters of a line of base64. */
const WIDTH = 100;

/** The command line that opens a link: its address, or the fragment alone. */
export function commandOf(link: string): string {
  return `npx millscope open '${link.replaceAll("'", '%27')}'`;
}

/** Text as a template literal, which shows its lines as they are. */
function template(text: string): string {
  const escaped = text
    .replace(/[\\`]|\$\{/g, '\\$&')
    // A template reads \r\n as \n, and the others would not be seen.
    .replace(/(?![\n\t])[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return `\`${escaped}\``;
}

function string(text: string): string {
  return /^[^'\\\p{C}\p{Zl}\p{Zp}]*$/u.test(text) ? `'${text}'` : template(text);
}

const list = (items: readonly string[]): string => `[${items.map(string).join(', ')}]`;

function fileText(file: LinkedFile): string {
  if ('text' in file) {
    const beside = file.beside ? ', beside: true' : '';
    return `    { name: ${string(file.name)}${beside}, text: ${template(file.text)} },`;
  }
  const lines = toBase64(file.bytes).match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
  const text = lines.map((line) => `        '${line}'`).join(' +\n');
  return `    {\n      name: ${string(file.name)},\n      bytes: Buffer.from(\n${text},\n        'base64',\n      ),\n    },`;
}

/**
 * A test for vitest that takes the run to its moment again and expects the registers there. It needs nothing but
 * millscope and vitest: the program is in it.
 */
export function testOf(run: LinkedRun, reading: Reading): string {
  const names = [...GENERAL_REGISTERS, 'rip'] as const;
  return [
    "import { GENERAL_REGISTERS, type LinkedRun, openLinked, Session } from 'millscope';",
    "import { expect, test } from 'vitest';",
    '',
    '/** A program, with all that decides what its run is like, and the moment that is looked at. */',
    'const run: LinkedRun = {',
    `  name: ${string(run.name)},`,
    `  arguments: ${list(run.arguments)},`,
    `  environment: ${list(run.environment)},`,
    `  seed: ${run.seed}n,`,
    `  memory: ${run.memory},`,
    `  moment: ${run.moment},`,
    `  runtime: [${run.runtime.length === 0 ? '' : `\n${run.runtime.map(fileText).join('\n')}\n  `}],`,
    '  files: [',
    ...run.files.map(fileText),
    '  ],',
    '};',
    '',
    '// The registers as millscope has shown them at that moment: the same run has the same ones there, always.',
    `test(${string(`${run.name} at moment ${run.moment}`)}, async () => {`,
    '  const guest = await openLinked(run);',
    '  try {',
    '    await new Session(guest).go(run.moment);',
    "    const names = [...GENERAL_REGISTERS, 'rip'] as const;",
    '    const registers = Object.fromEntries(names.map((name) => [name, guest.cpu.read(name)]));',
    '    expect({ moment: guest.cpu.moment, ...registers }).toEqual({',
    `      moment: ${run.moment},`,
    ...names.map((name) => `      ${name}: 0x${reading[name].toString(16)}n,`),
    '    });',
    '  } finally {',
    '    guest.cpu.close();',
    '  }',
    '});',
    '',
  ].join('\n');
}
