import { defineConfig } from 'vitest/config';

const testTimeout = 60_000;
const setupFiles = ['test/emu/chosen-engine.ts'];

export default defineConfig({
  test: {
    // Tests of the page wait for a browser, those of the command line for a process: a worker for each core leaves some idle.
    maxWorkers: '150%',
    projects: [
      {
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: ['test/emu/libunicorn.test.ts'],
          testTimeout,
          setupFiles,
        },
      },
      {
        // The same specs of the CPU on the other engine; what is left out is about unicorn.js.
        test: {
          name: 'native',
          include: ['test/emu/**/*.test.ts'],
          exclude: ['test/emu/machines.test.ts', 'test/emu/engines.test.ts'],
          env: { MILLSCOPE_ENGINE: 'native' },
          testTimeout,
          setupFiles,
        },
      },
    ],
  },
});
