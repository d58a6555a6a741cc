import { assembleGuestSide } from '../asm/guest-side.js';
import type { Image } from '../asm/image.js';
import { didYouMean, nearNames } from '../asm/near.js';
import type { Source } from '../asm/statement.js';
import { UsageError } from './errors.js';
import { PROGRAM_BASE } from './program-image.js';

/**
 * The guest side of the runtime, assembled with some of its sources replaced by others of the same name.
 * @param own all of its sources, the `.inc` files included
 * @throws UsageError if there is no such source, or two of one name, or it becomes too large; AssemblyError
 */
export async function runtimeWith(own: readonly Source[], edited: readonly Source[]): Promise<Image> {
  const names = own.map(({ name }) => name).filter((name) => name.endsWith('.s'));
  const found = new Map(own.map((source) => [source.name, source]));
  edited.forEach(({ name }, index) => {
    if (!names.includes(name)) {
      const near = didYouMean(nearNames(name, names));
      throw new UsageError(
        `the runtime has no source ${name}${near === '' ? ':' : `${near} There are`} ${names.join(', ')}`,
      );
    }
    if (edited.findIndex((one) => one.name === name) !== index) {
      throw new UsageError(`${name} is given twice: a source of the runtime is replaced by one other`);
    }
    found.set(name, edited[index]);
  });
  const image = await assembleGuestSide((name) => {
    const source = found.get(name);
    if (source === undefined) throw new UsageError(`the runtime's source ${name} is missing`);
    return source;
  });
  const end = Math.max(...image.sections.map(({ address, size }) => Number(address) + size));
  if (end > Number(PROGRAM_BASE)) {
    throw new UsageError(
      `the runtime ends at 0x${end.toString(16)}, where programs are: it has to end below 0x${PROGRAM_BASE.toString(16)}`,
    );
  }
  return image;
}
