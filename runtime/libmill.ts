import { Image } from '../asm/image.js';
import { LIBMILL_IMAGE } from '../asm/libmill.image.js';

let image: Image | undefined;

/** The guest side of the runtime, assembled when this package was built. */
export function libmill(): Image {
  image ??= Image.fromJSON(LIBMILL_IMAGE);
  return image;
}

/** What programs may refer to. @param image the guest side of the runtime that they are to run on */
export function libmillSymbols({ symbols, globals }: Image = libmill()): ReadonlyMap<string, bigint> {
  return new Map([...symbols].filter(([name]) => globals.has(name)));
}
