// Draws boards with the preview page in Chromium, without a display and without any network but loopback.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import type { Board } from '#preview/board.js';
import type { Scene } from '#preview/frames.js';
import type { DrawnPanel, Preview } from '#preview/page.js';
import type { Seen } from '#preview/pixels.js';
import { encodePng } from './indexed-png.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PREVIEW = join(ROOT, 'dashboards/preview');
const UPLOT = join(ROOT, 'node_modules/uplot/dist');
const WIDTH = 1600;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
};

/** What a picture shows of one panel. */
export type PictureOfPanel = DrawnPanel & Seen;

export interface Artist {
  /** @returns A PNG file and what is on it. */
  draw(board: Board, scene: Scene): Promise<{ png: Buffer; panels: readonly PictureOfPanel[] }>;
  close(): Promise<void>;
}

export async function openArtist(): Promise<Artist> {
  const site = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://page').pathname);
    const file = path.startsWith('/uplot/') ? join(UPLOT, path.slice(6)) : join(PREVIEW, path);
    readFile(file).then(
      (body) => response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const profile = await mkdtemp(join(tmpdir(), 'omendb-chromium-'));
  const context = await openChromium(profile);
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/index.html`;
  return {
    async draw(board, scene) {
      const page = await context.newPage();
      try {
        return await drawOn(page, url, board, scene);
      } finally {
        await page.close();
      }
    },
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
      await new Promise((resolve) => site.close(resolve));
    },
  };
}

function openChromium(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    viewport: { width: WIDTH, height: 900 },
    timezoneId: 'UTC',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

async function drawOn(page: Page, url: string, board: Board, scene: Scene): ReturnType<Artist['draw']> {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(url);
  await page.waitForFunction(() => 'preview' in globalThis);
  const drawn = await page.evaluate(
    ([board, scene]) => (globalThis as unknown as WithPreview).preview.drawBoard(board, scene),
    [board, scene] as const,
  );
  if (problems.length > 0) throw new Error(`${board.uid}: ${problems.join('; ')}`);
  const png = await page.screenshot({ fullPage: true });
  const { seen, indexed } = await page.evaluate(
    ([picture, areas]) => (globalThis as unknown as WithPreview).preview.readPicture(picture, areas),
    [png.toString('base64'), drawn.map(({ area }) => area)] as const,
  );
  const panels = drawn.map((panel, i) => ({ ...panel, ...(seen[i] ?? { pixels: 0, colours: 0 }) }));
  return { png: encodePng(indexed), panels };
}

interface WithPreview {
  readonly preview: Preview;
}
