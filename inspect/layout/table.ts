import Table from 'cli-table3';
import type { Colors } from '../format.js';
import { whatFailed } from '../probe/ending.js';
import type { Instructions } from '../probe/instructions.js';
import type { Access } from '../probe/machine.js';
import { slotPlace } from './data.js';
import type { Layout, Slot } from './layout.js';
import { registerName, restoredText, savedText, titleOf } from './words.js';

/** The last instruction that has touched a slot. */
function byWhat(accesses: readonly Access[], instructions: Instructions): string {
  const last = accesses.at(-1);
  if (last === undefined) return '';
  const { text, place } = instructions.at(last.rip);
  return `${text.padEnd(23)} ${place}`;
}

function slotTable({ slots }: Layout, instructions: Instructions, paint: Colors): string {
  const table = new Table({
    head: ['offset', 'bytes', 'saved', 'restored', 'saved by', 'restored by'].map((text) => paint.bold(text)),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colAligns: ['right', 'right'],
  });
  for (const slot of slots) {
    const isSame = slot.saved !== undefined && slot.saved === slot.restored;
    const paintIt = isSame ? paint.green : slot.saved === undefined ? paint.dim : paint.red;
    const stored = slot.stores.length === 0 && slot.written ? 'its call' : byWhat(slot.stores, instructions);
    table.push([
      slotPlace(slot),
      String(slot.size),
      paintIt(savedText(slot)),
      paintIt(restoredText(slot)),
      stored,
      byWhat(slot.loads, instructions),
    ]);
  }
  return table.toString();
}

/** What is odd about a layout, a sentence each. */
export function findingTexts({ findings, pointer, measurement }: Layout): string[] {
  const at = (slots: readonly Slot[]): string =>
    slots.map((slot) => `${savedText(slot) || 'nothing'} at ${slotPlace(slot)}`).join(', ');
  const { neverRestored, neverSaved, savedTwice, different } = findings;
  return [
    ...(pointer === undefined
      ? []
      : [
          `the context is the stack pointer itself: rsp was ${pointer.above} bytes higher${pointer.restored ? ', and is again' : ', and does not come back'}`,
        ]),
    ...(measurement.code.restore === undefined ? ['there is no restore: give the file that has it'] : []),
    ...(neverRestored.length === 0 ? [] : [`saved and never restored: ${at(neverRestored)}`]),
    ...(neverSaved.length === 0
      ? []
      : [
          `restored and never saved: ${neverSaved.map((slot) => `${restoredText(slot) || 'what is read'} at ${slotPlace(slot)}`).join(', ')}`,
        ]),
    ...(savedTwice.length === 0 ? [] : [`saved twice: ${savedTwice.map(registerName).join(', ')}`]),
    ...(different.length === 0
      ? []
      : [
          `different in the two directions: ${different.map((slot) => `${savedText(slot)} at ${slotPlace(slot)} comes back as ${restoredText(slot)}`).join('; ')}`,
        ]),
  ];
}

/** A layout for people: a table of its slots, and what is odd. */
export function layoutText(layout: Layout, instructions: Instructions, paint: Colors): string {
  const { measurement } = layout;
  const { code } = measurement;
  const failed = whatFailed(measurement);
  return [
    paint.bold(titleOf(code)),
    ...code.guesses.map((guess) => paint.dim(`guessed: ${guess}`)),
    slotTable(layout, instructions, paint),
    ...findingTexts(layout).map(paint.yellow),
    ...(failed === undefined ? [] : [paint.red(`not measured to the end: ${failed}`)]),
  ].join('\n');
}
