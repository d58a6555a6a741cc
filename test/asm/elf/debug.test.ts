import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UnresolvedSymbols } from '../../../asm/elf/errors.js';
import { Link } from '../../../asm/elf/link.js';
import { COMPILERS, has, Workshop } from './compile.js';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const FLAGS = ['-g -O0', '-g -O2 -ffunction-sections', '-gdwarf-4 -O1', '-gdwarf-5 -O2', '-g -gz -O1'];

describe.skipIf(!has('gcc', 'ld', 'addr2line'))('lines of linked programs', () => {
  it.for(COMPILERS.flatMap((compiler) => FLAGS.map((flags) => [compiler, flags])))(
    'are those that addr2line finds in what GNU ld links: %s %s',
    ([compiler, flags], { skip }) => {
      skip(!has(compiler), `there is no ${compiler}`);
      const names = ['one', 'two', 'start'];
      for (const name of names) {
        const options = ['-ffreestanding', '-D__thread=', ...flags.split(' ')];
        workshop.run(compiler, ...options, '-c', '-o', `${name}.o`, workshop.source(`${name}.c`));
      }
      const objects = names.map((name) => workshop.read(`${name}.o`));
      const image = new Link(objects, { base: 0x400000n }).finish(new Map());
      const files = names.map((name) => `${name}.o`);
      // The same sections of code, in the same order, from the same address on
      const text = `SECTIONS { .text 0x400000 : { ${files.map((file) => `${file}(.text .text.*)`).join(' ')} } }`;
      writeFileSync(workshop.path('script'), text);
      workshop.run(
        'ld',
        '-static',
        '-T',
        'script',
        '--unresolved-symbols=ignore-all',
        '-e',
        '_start',
        '-o',
        'theirs',
        ...files,
      );
      const [{ address, size }] = image.sections;
      const addresses = Array.from({ length: size }, (_, at) => (address + BigInt(at)).toString(16));
      writeFileSync(workshop.path('addresses'), addresses.join('\n'));
      const theirs = workshop.run('sh', '-c', 'addr2line -e theirs < addresses').trim().split('\n');
      const ours = addresses.map((each) => {
        const line = image.lineAt(BigInt(`0x${each}`));
        return line ? `${basename(line.file)}:${line.line}` : '??:0';
      });
      const plain = theirs.map((each) =>
        basename(each.replace(/ \(discriminator \d+\)$/, '')).replace(/^.*:[?0]$/, '??:0'),
      );
      if (flags.includes('-gz')) expect(new Set(ours)).toEqual(new Set(['??:0']));
      else {
        expect(ours).toEqual(plain);
        expect(new Set(ours).size).toBeGreaterThan(50);
      }
    },
  );

  it.for(COMPILERS)('say where a symbol is needed that nobody defines: %s', (compiler, { skip }) => {
    skip(!has(compiler), `there is no ${compiler}`);
    const text =
      'int wroker(int);\nint worker(int n) { return n; }\nint main(void) {\n  return worker(1) +\n    wroker(2);\n}\n';
    writeFileSync(workshop.path('prog.c'), text);
    workshop.run(compiler, '-g', '-O0', '-c', '-o', 'prog.o', 'prog.c');
    const link = new Link([workshop.read('prog.o')], { base: 0x400000n });
    expect([...link.wanted]).toEqual([['wroker', ['prog.o']]]);
    const message =
      /^undefined symbol "wroker", needed by prog\.o in main\+0x[0-9a-f]+ \(.*prog\.c:5\); did you mean "worker"\?$/;
    expect(() => link.finish(new Map())).toThrow(message);
    expect(() => link.finish(new Map())).toThrow(UnresolvedSymbols);
  });
});
