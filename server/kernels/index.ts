// The kernels of the engine: everything that touches every vector. Pure functions over addresses of one
// shared memory; no state, no allocation, no static data, so any number of threads may run them over the same
// bytes.
//
// Compiled twice: with `RELAXED` 1 the code scan uses the relaxed-SIMD dot product, with 0 plain SIMD; the
// results are the same bits.

export { countBits, listBits } from './bits';
export { collectorReset, collectorShrink, collectorSort, collectorTake } from './select';
export { bestEntry, encodeEntries, quantizeQuery, scanBlocks, scanPieces, scanPostings } from './codes';
export { scanList, scanRange } from './exact';
export { addToSums, assignNear, assignRounded, quantizeRows } from './cluster';
export { anchorRow, anchorTerms, bitTables, encodeBits, loadRow, rotate, scanBits } from './one-bit';
export { crc32c, crcTables } from './crc32c';
