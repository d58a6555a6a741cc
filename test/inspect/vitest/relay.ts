import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type LoadedSwitch, loadSwitch } from '../../../inspect/vitest.js';

const SOURCE = fileURLToPath(new URL('../../../fixtures/consumer/relay_switch.S', import.meta.url));

/** Gone when the tests of a file are over. */
export const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The text of the consumer's switch, with one of its lines changed. */
export function relayText(line = '', changed = ''): string {
  const text = readFileSync(SOURCE, 'utf8');
  if (line !== '' && text.split(line).length !== 2) throw new Error(`"${line}" is not once in ${SOURCE}`);
  return text.replace(line, changed);
}

/** The consumer's switch, with one of its lines changed. It is assembled here, so no compiler is needed. */
export function loadRelay(line?: string, changed?: string): Promise<LoadedSwitch> {
  const path = join(folder, 'relay.s');
  writeFileSync(path, relayText(line, changed));
  return loadSwitch(path, { switch: 'relay_switch' });
}

/** What an expectation fails with, as a person reads it but for the path of the folder; undefined if it does not fail. */
export function failureOf(expectation: () => void): string | undefined {
  try {
    expectation();
    return undefined;
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
}

/** The same, without what depends on how long the probe's own code is. */
export function messageOf(expectation: () => void): string | undefined {
  return failureOf(expectation)?.replace(/--at \d+$/, '--at N');
}
