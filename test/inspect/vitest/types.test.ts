import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Inside the package, where its own name leads to what is built of it. */
const FILE = fileURLToPath(new URL('consumer.ts', import.meta.url));
const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
  skipLibCheck: true,
};

/** Each line of TypeScript that tsc --strict does not take, with what it says. */
function complaintsOf(lines: readonly string[]): string[] {
  const text = ["import { loadSwitch, loadSwitches, runProgram } from 'millscope/vitest';", ...lines].join('\n');
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === FILE || fileExists.call(host, name);
  host.getSourceFile = (name, version, ...rest) =>
    name === FILE ? ts.createSourceFile(name, text, version) : getSourceFile.call(host, name, version, ...rest);
  const program = ts.createProgram([FILE], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line;
    return `${lines[line - 1]}: ${ts.flattenDiagnosticMessageText(messageText, '\n').split('\n')[0]}`;
  });
}

describe('types of millscope/vitest', () => {
  it('let strict TypeScript use all of it', () => {
    const complaints = complaintsOf([
      "import { expect, test } from 'vitest';",
      "import type { Body } from 'millscope';",
      "const code = await loadSwitch(new URL('s.o', import.meta.url), { switch: 's', from: 'rdi', to: 'rsi' });",
      "const both = await loadSwitches(['a.o', 'b.a'], { ctx: ['rdx', 'rax'], cc: '-O2', archives: 'c.a' });",
      "test.each(both)('%s', (one) => expect(one).toHaveCtxLayout('golden.json'));",
      'expect(code).toHaveCtxLayout(code.layout);',
      "expect(code).toPreserve('rbx', 'mxcsr', 'xmm15', 'fpcw', 'sigmask');",
      "expect(code).not.toPreserve('rdi');",
      "expect(code).toKeepContract({ except: ['landing-pad'] });",
      'expect(code).toKeepContract();',
      'expect.soft(code).toSwitchWithin(22);',
      'expect(code.layout).toMatchInlineSnapshot();',
      'const body: Body = function* () { yield; };',
      'const run = await runProgram(body, { seed: 3n, limit: 1000 });',
      'expect(run.stdout).toBe(run.message ?? String(run.status + run.switches[0].at));',
      'const count: number | undefined = code.executed?.length;',
      'expect(count).toBe(code.clauses.length);',
    ]);
    expect(complaints).toEqual([]);
  });

  it('refuse what cannot be meant', () => {
    const wrong = [
      "import { expect } from 'vitest';",
      "const code = await loadSwitch('s.o');",
      "expect(code).toPreserve('rbz');",
      "expect(code).toPreserve('eflags');",
      'expect(code).toPreserve();',
      "expect('s.o').toPreserve('rbx');",
      "expect(loadSwitch('s.o')).toKeepContract();",
      "expect(code).toSwitchWithin('22');",
      "expect(code).toKeepContract({ except: 'landing-pad' });",
      "expect(code).toHaveCtxLayout(['golden.json']);",
      "await loadSwitch('s.o', { shape: 'swop' });",
      "await loadSwitch('s.o', { from: 'xmm0' });",
      'await runProgram();',
      'expect(code).toHaveLayout(code.layout);',
    ];
    const complaints = complaintsOf(wrong);
    expect(complaints.map((text) => text.slice(0, text.indexOf(';') + 1))).toEqual(wrong.slice(2));
  });
});
