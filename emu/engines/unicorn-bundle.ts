/** Starts unicorn.js, as a module: where there is no faster way, and in browsers. */
// First, so that its getters stand while the bundle below starts.
import './unicorn-capture.js';
import { uc } from '@specy/x86/dist/x86/deps/unicorn-x86.min.js';
import { takeCaptured } from './unicorn-capture.js';
import { provideUnicorn } from './unicorn-module.js';

provideUnicorn(takeCaptured(), uc);
