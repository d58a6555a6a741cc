import type { Plugin } from 'vite';

/**
 * Scripts, styles and data from the site alone, and no evaluated text. `wasm-unsafe-eval` lets WASM be compiled, and
 * nothing else: Capstone and Keystone are some, which come when somebody asks who wrote a value, or edits. unicorn.js is
 * plain JavaScript. A picture becomes a PNG by way of an image that the page has made itself (blob:).
 */
export const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
  "img-src 'self' blob:; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'none'";

/** What a server can send besides, since a worker takes its policy from its own file's headers and not from the page. */
export const HEADERS = {
  'Content-Security-Policy': `${POLICY}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** Puts the policy into the page itself, for hosts that send no headers, and into `_headers` for those that read it. */
export function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
      ],
    },
    generateBundle() {
      const lines = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}`);
      this.emitFile({ type: 'asset', fileName: '_headers', source: `/*\n${lines.join('\n')}\n` });
    },
  };
}
