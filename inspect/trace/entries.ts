import type { Process } from '../../runtime/process.js';

/**
 * Tells which function of the program each new coroutine enters first, which is the one that go() was given unless that
 * was inlined, or calls others for its arguments.
 * @returns what ends that
 */
export function watchEntries(
  process: Process,
  tell: (moment: number, coroutine: number, place: string) => void,
): () => void {
  const { cpu } = process;
  const { coroutines, census } = process.mill;
  const [, ...programs] = process.images;
  let endOfLook = (): void => {};
  const look = (coroutine: number): void => {
    endOfLook = cpu.onBlock((address) => {
      const at = BigInt(address);
      if (programs.find((image) => image.sectionAt(at) !== undefined)?.symbolAt(at)?.offset !== 0n) return;
      endOfLook();
      tell(cpu.moment, coroutine, process.describe(at));
    });
  };
  const ends = [
    process.on('switched', ({ restored }) => {
      endOfLook();
      if (restored === 0 && programs.length > 0) look(census.id(coroutines.running));
    }),
    process.on('restored', () => endOfLook()),
  ];
  return () => {
    endOfLook();
    for (const end of ends) end();
  };
}
