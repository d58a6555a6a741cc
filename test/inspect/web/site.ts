import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { HEADERS } from '../../../inspect/web/build/policy.js';

const CONFIG = fileURLToPath(new URL('../../../inspect/web/vite.config.ts', import.meta.url));
/** Not at the root of the host, since any folder has to do. */
const FOLDER = '/somewhere/deep';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** The built site on a host of its own, which can be taken off the network. */
export interface Site {
  readonly folder: string;
  readonly url: string;
  /** Bytes that have been sent, compressed. */
  sent(): number;
  /** Names of the files that have been sent. */
  readonly asked: readonly string[];
  /** Nothing is answered any more. */
  unplug(): void;
  close(): void;
}

/** Builds the site as `npm run build:web` does, and serves it as a host does that knows nothing of it. */
export async function openSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'millscope-site-'));
  await build({ configFile: CONFIG, logLevel: 'silent', build: { outDir: folder, emptyOutDir: true } });
  let sent = 0;
  const asked: string[] = [];
  // Each visit asks anew, and to compress WASM takes longer than to send it.
  const compressed = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname).replace(/\/$/, '/index.html');
    const file = join(folder, path.slice(FOLDER.length));
    if (!path.startsWith(`${FOLDER}/`) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const body = compressed.get(file) ?? gzipSync(readFileSync(file));
    compressed.set(file, body);
    sent += body.length;
    asked.push(path.slice(FOLDER.length + 1));
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Encoding': 'gzip',
      'Cache-Control': 'max-age=60',
      ...HEADERS,
    });
    response.end(body);
  });
  const port = await listen(server);
  const unplug = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return {
    folder,
    url: `http://127.0.0.1:${port}${FOLDER}/`,
    sent: () => sent,
    asked,
    unplug,
    close: () => {
      unplug();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
