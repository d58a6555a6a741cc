import { loadKeystone } from '../../../asm/keystone.js';
import type { Source } from '../../../asm/statement.js';
import { loadCapstone } from '../../../emu/capstone.js';
import { loadEngine, openMachine } from '../../../inspect/engine.js';
import { runtimeSources } from '../../../inspect/runtime-files.js';
import { Workshop } from '../../../inspect/web/workshop/workshop.js';

/** The workshop without its worker. */
export function openWorkshop(): Workshop {
  return new Workshop({
    runtime: async () => runtimeSources(),
    assembler: () => loadKeystone(),
    disassembler: async () => void (await loadCapstone()),
    engine: async () => {
      await loadEngine();
      return openMachine;
    },
  });
}

/** A source of the runtime as it is, or with something else in the place of a text that is in it once. */
export function sourceOf(name: string, text?: string, other = ''): Source {
  const source = runtimeSources().find((one) => one.name === name);
  if (source === undefined) throw new Error(`the runtime has no ${name}`);
  if (text === undefined) return source;
  if (source.text.split(text).length !== 2) throw new Error(`${name} does not have "${text}" once`);
  return { name, text: source.text.replace(text, other) };
}

/** The line that a text is in, counting from 1. */
export function lineOf(text: string, part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length;
}
