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

/** The most frequent colours, and for each pixel the nearest of them. */
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
  const mean = ({ count, sums }: { count: number; sums: number[] }): number[] =>
    sums.map((sum) => Math.round(sum / count));
  const chosen = [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, COLOURS)
    .map(mean);
  const nearest = new Map<number, number>();
  for (const [key, group] of groups) {
    const own = mean(group);
    const distances = chosen.map((other) =>
      own.reduce((sum, part, i) => sum + (part - (other[i] ?? 0)) ** 2, 0),
    );
    nearest.set(key, distances.indexOf(Math.min(...distances)));
  }
  const indices = Uint8Array.from({ length: rgba.length / 4 }, (_, i) => nearest.get(keyAt(i * 4)) ?? 0);
  return { palette: chosen.flat(), indices };
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
