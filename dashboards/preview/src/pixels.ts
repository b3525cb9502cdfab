/*
 * The pixels of a finished picture: what a person would see in parts of it, however they were drawn, and the
 * whole of it in 256 colours.
 */
import type { DrawnPanel } from './page.js';

/** What is in one part. */
export interface Seen {
  /** Pixels that do not have the most frequent colour. */
  readonly pixels: number;
  /** Colours besides the most frequent one. */
  readonly colours: number;
}

/** A picture whose pixels are numbers of colours. */
export interface IndexedPicture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue, one colour after the other. */
  readonly palette: readonly number[];
  /** One byte a pixel, row by row, in base64. */
  readonly indices: string;
}

/** Least significant bits of a channel that do not count when colours are grouped. */
const COARSE = 3;
const COLOURS = 256;

/** @param picture A PNG file in base64. */
export async function readPicture(
  picture: string,
  areas: readonly DrawnPanel['area'][],
): Promise<{ seen: Seen[]; indexed: IndexedPicture }> {
  const blob = await (await fetch(`data:image/png;base64,${picture}`)).blob();
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new Error('the browser has no canvas');
  context.drawImage(bitmap, 0, 0);
  const seen = areas.map((area) => {
    const { data } = context.getImageData(area.x, area.y, Math.max(1, area.width), Math.max(1, area.height));
    const counts = new Map<number, number>();
    const words = new Uint32Array(data.buffer);
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    return { pixels: words.length - Math.max(...counts.values()), colours: counts.size - 1 };
  });
  const { palette, indices } = quantize(context.getImageData(0, 0, width, height).data);
  return { seen, indexed: { width, height, palette, indices: await inBase64(indices) } };
}

type Colour = readonly [red: number, green: number, blue: number];

/** A palette for these pixels, and for each of them the nearest colour of it. */
function quantize(rgba: Uint8ClampedArray): { palette: number[]; indices: Uint8Array } {
  const groups = new Map<number, { count: number; sums: [number, number, number] }>();
  const keyAt = (at: number): number =>
    ((rgba[at] ?? 0) >> COARSE) |
    (((rgba[at + 1] ?? 0) >> COARSE) << 5) |
    (((rgba[at + 2] ?? 0) >> COARSE) << 10);
  for (let at = 0; at < rgba.length; at += 4) {
    const key = keyAt(at);
    const group = groups.get(key) ?? { count: 0, sums: [0, 0, 0] };
    group.count++;
    for (const channel of [0, 1, 2] as const) group.sums[channel] += rgba[at + channel] ?? 0;
    groups.set(key, group);
  }
  const means = new Map<number, Colour>();
  for (const [key, { count, sums }] of [...groups].sort(([, a], [, b]) => b.count - a.count)) {
    means.set(key, sums.map((sum) => Math.round(sum / count)) as unknown as Colour);
  }
  const palette = choose([...means.values()]);
  const nearest = new Map<number, number>();
  for (const [key, own] of means) {
    const distances = palette.map((other) => distance(own, other));
    nearest.set(key, distances.indexOf(Math.min(...distances)));
  }
  const indices = Uint8Array.from({ length: rgba.length / 4 }, (_, i) => nearest.get(keyAt(i * 4)) ?? 0);
  return { palette: palette.flat(), indices };
}

/** @param colours The most frequent first. Rare colours that are like no other are chosen before shades. */
function choose(colours: readonly Colour[]): Colour[] {
  const chosen: Colour[] = [];
  for (const apart of [24, 12, 6, 0]) {
    for (const colour of colours) {
      if (chosen.length === COLOURS) return chosen;
      if (chosen.every((other) => distance(colour, other) > apart)) chosen.push(colour);
    }
  }
  return chosen;
}

function distance([r, g, b]: Colour, [red, green, blue]: Colour): number {
  return Math.hypot(r - red, g - green, b - blue);
}

function inBase64(bytes: Uint8Array): Promise<string> {
  const reader = new FileReader();
  return new Promise((resolve) => {
    reader.onload = () => {
      resolve(String(reader.result).split(',')[1] ?? '');
    };
    reader.readAsDataURL(new Blob([bytes.slice().buffer]));
  });
}
