import { Image } from '../asm/image.js';
import { LIBMILL_IMAGE } from '../asm/libmill.image.js';

let image: Image | undefined;

/** The guest side of the runtime, assembled when this package was built. */
export function libmill(): Image {
  image ??= Image.fromJSON(LIBMILL_IMAGE);
  return image;
}

/** What programs may refer to. */
export function libmillSymbols(): ReadonlyMap<string, bigint> {
  const { symbols, globals } = libmill();
  return new Map([...symbols].filter(([name]) => globals.has(name)));
}
