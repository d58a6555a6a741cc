declare module '@specy/x86/dist/x86/deps/unicorn-x86.min.js' {
  /** Unicorn's constants (`X86_REG_RAX`, `HOOK_BLOCK`, …); the functions beside them are not used here. */
  export const uc: Readonly<Record<string, number>>;
}
