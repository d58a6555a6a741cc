/** Builds the page into `inspect/web/dist`: files that any host can serve, in any folder. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { engineSize } from './build/engine-size.js';
import { lessons } from './build/lessons.js';
import { offline } from './build/offline.js';
import { playground } from './build/playground.js';
import { contentSecurityPolicy, HEADERS } from './build/policy.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const LESSONS = process.env.MILLSCOPE_LESSONS ?? here('../../fixtures/lessons');

export default defineConfig({
  root: here('.'),
  base: './',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker: {
    format: 'es',
    plugins: () => [engineSize()],
    rolldownOptions: {
      output: {
        // In one file, since what is to stand while the bundle starts would otherwise be evaluated behind it.
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [{ name: 'unicorn', test: /unicorn-(x86\.min|capture|bundle)/ }],
        },
      },
    },
  },
  plugins: [
    contentSecurityPolicy(),
    lessons(LESSONS, here('../../asm')),
    playground(here('../../fixtures'), LESSONS),
    // What is for the playground alone, and Capstone with the search for who wrote a value.
    offline(here('offline.js'), /capstone|keystone|origin|playground|place-/),
  ],
  preview: { port: 4178, headers: HEADERS },
});
