/*
 * What a person would see in parts of a finished picture, however they were drawn.
 */
import type { DrawnPanel } from './page.js';

/** What is in one part. */
export interface Seen {
  /** Pixels that do not have the most frequent colour. */
  readonly pixels: number;
  /** Colours besides the most frequent one. */
  readonly colours: number;
}

/** @param picture A PNG file in base64. */
export async function countPixels(picture: string, areas: readonly DrawnPanel['area'][]): Promise<Seen[]> {
  const blob = await (await fetch(`data:image/png;base64,${picture}`)).blob();
  const bitmap = await createImageBitmap(blob);
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  if (context === null) throw new Error('the browser has no canvas');
  context.drawImage(bitmap, 0, 0);
  return areas.map(({ x, y, width, height }) => {
    const { data } = context.getImageData(x, y, Math.max(1, width), Math.max(1, height));
    const counts = new Map<number, number>();
    const words = new Uint32Array(data.buffer);
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    return { pixels: words.length - Math.max(...counts.values()), colours: counts.size - 1 };
  });
}
