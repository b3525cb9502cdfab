import { expect } from 'chai';
import { growTree, treeBytes } from '#server/core/index/centroid-tree.js';
import { fitQuantizer } from '#server/core/index/quantizer.js';
import { rowStride } from '#server/core/vector/metric.js';
import { Scratch } from '#server/core/vector/scratch.js';
import { VectorSpace, clusteredRows } from '../../support/vector-space.js';

const DIMENSIONS = 16;
const PROBE = 4;

describe('A tree of centroids', () => {
  const space = new VectorSpace();

  // Up to 255 there are no groups; 7 813 are the clusters of a million rows.
  for (const clusters of [1, 17, 255, 256, 1000, 7813]) {
    it(`of ${clusters} needs no more room than it says and gives each of them a place`, () => {
      const stride = rowStride(DIMENSIONS);
      const { raw } = space.store('l2', clusteredRows(clusters, clusters, DIMENSIONS, 20));
      const arrays = space.allocate(stride * 12);
      const quantizer = { centres: arrays, steps: arrays + stride * 4, inverses: arrays + stride * 8 };
      const rows = { raw, factors: 0, stride };
      const all = Uint32Array.from({ length: clusters }, (_, cluster) => cluster);
      fitQuantizer(space.kernels, 'l2', DIMENSIONS, rows, all, quantizer);
      const bytes = treeBytes(stride, clusters);
      const scratch = new Scratch(space.allocate(bytes), bytes);
      const { slots } = growTree(space.kernels, scratch, quantizer, stride, { rows: raw, clusters }, PROBE);
      expect(slots.length).to.equal(clusters);
      expect(new Set(slots).size).to.equal(clusters);
    });
  }
});
