import type { ImageSymbol } from '../image.js';
import { type ObjectFile, STT } from './object.js';
import { isDefined, type Meaning, type Resolution } from './resolve.js';
import type { ObjectSection } from './section.js';

/** Whether a person looks for it: a name for a function, a variable or a place in code, and no compiler's own label. */
function isNamed(name: string, type: number): boolean {
  return name !== '' && type !== STT.section && type !== STT.file && !name.startsWith('.L');
}

/**
 * Whether a local symbol without a type is inside a function. Inline assembly leaves such labels, libmill's own header
 * among it: a person looks for the function they are in.
 */
function labelsInFunctions(meanings: readonly Meaning[]): (meaning: Meaning) => boolean {
  const functions = new Map<ObjectSection, Meaning[]>();
  for (const meaning of meanings) {
    if (meaning.type !== STT.func || meaning.section === undefined) continue;
    const others = functions.get(meaning.section);
    if (others) others.push(meaning);
    else functions.set(meaning.section, [meaning]);
  }
  for (const list of functions.values()) list.sort((a, b) => Number(a.value - b.value));
  return ({ type, section, value }) => {
    const list = type === STT.noType && section !== undefined ? (functions.get(section) ?? []) : [];
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].value < value) low = middle + 1;
      else high = middle;
    }
    const before = list[low - 1];
    return before !== undefined && value < before.value + before.size;
  };
}

/** The symbols of a placed program as an image has them. A local name that is taken gets its file in front. */
export function namesOf(objects: readonly ObjectFile[], { globals, meanings }: Resolution): ImageSymbol[] {
  const names: ImageSymbol[] = [];
  const taken = new Set<string>();
  const add = (name: string, value: bigint, isAddress: boolean, global: boolean): void => {
    taken.add(name);
    names.push({ name, value, kind: isAddress ? 'label' : 'constant', global });
  };
  const marks: Meaning[] = [];
  for (const meaning of globals.values()) {
    const { name, address, section, type, file } = meaning;
    if (!isDefined(meaning) || address === undefined || !isNamed(name, type)) continue;
    // The linker's own, such as __executable_start, are no name for the function that is there.
    if (file === '') marks.push(meaning);
    else add(name, address, section !== undefined, true);
  }
  objects.forEach(({ name: file }, number) => {
    const isInside = labelsInFunctions(meanings[number]);
    for (const meaning of meanings[number]) {
      const { name, global, address, section, type } = meaning;
      if (global || address === undefined || !isNamed(name, type) || isInside(meaning)) continue;
      add(taken.has(name) ? `${file}:${name}` : name, address, section !== undefined, false);
    }
  });
  for (const { name, address = 0n } of marks) add(name, address, true, false);
  return names;
}
