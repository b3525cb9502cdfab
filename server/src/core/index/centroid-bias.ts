/*
 * How a query ranks centroids: by q·c − weight · ‖c‖²/2, everything relative to the quantizer's centre under
 * l2.
 *
 * Weight 1 ranks by distance, weight 0 by inner product. Neither is best: a centroid is a mean, and the
 * shorter it is, the wider its rows are spread around it, so that some lie nearer to the query than it does.
 * Which weight finds most neighbours in fewest postings depends on the data; the calibration measures it and
 * stores its choice in the second terms of the centroids' blocks.
 */
import type { Kernels } from '../vector/kernels.js';
import type { IvfView } from './layout.js';
import { BLOCK_ENTRIES, blockBytes } from './layout.js';

/** The weights that are tried. */
export const CENTROID_WEIGHTS = [0, 0.25, 0.4, 0.5, 0.6, 0.75, 1] as const;

/** ‖c‖²/2 of every centroid, under l2 measured from the quantizer's centre. */
export function centroidHalfNorms(kernels: Kernels, view: IvfView): Float32Array {
  const norms = new Float32Array(view.clusters);
  const centred = view.metric === 'l2';
  for (let c = 0; c < view.clusters; c++) {
    const row = view.centroidRows / 4 + c * view.stride;
    let sum = 0;
    for (let d = 0; d < view.dimensions; d++) {
      const centre = centred ? (kernels.f32[view.centres / 4 + d] ?? 0) : 0;
      const value = (kernels.f32[row + d] ?? 0) - centre;
      sum += value * value;
    }
    norms[c] = sum / 2;
  }
  return norms;
}

/** From now on queries rank centroids with this weight. */
export function weighCentroids(
  kernels: Kernels,
  view: IvfView,
  halfNorms: Float32Array,
  weight: number,
): void {
  const words = blockBytes(view.groups, 2) / 4;
  halfNorms.forEach((norm, c) => {
    const block = view.centroidBlocks / 4 + Math.floor(c / BLOCK_ENTRIES) * words;
    kernels.f32[block + 2 * BLOCK_ENTRIES + (c % BLOCK_ENTRIES)] = norm * weight;
  });
}
