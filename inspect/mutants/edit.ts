/** What is to stand in the place of some instructions: others, or the same in another order. */
export interface Edit {
  readonly address: number;
  /** Bytes of the instructions that are replaced. */
  readonly length: number;
  readonly parts: readonly Part[];
}

/** An instruction: one of the original, wherever it stood, or a new one. */
export type Part =
  | { readonly kind: 'kept'; readonly address: number; readonly length: number }
  | {
      readonly kind: 'made';
      readonly bytes: Uint8Array;
      /** What it stands for. */
      readonly address: number;
      readonly length: number;
    };
