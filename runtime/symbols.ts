/**
 * Address of a symbol of the guest's side of the runtime.
 * @throws UndefinedSymbol
 */
export type Symbols = (name: string) => number;
