/*
 * The typed face of the kernels for 1-bit codes (`server/kernels/one-bit.ts`, which says what they promise).
 */

/** Exports of both kernel binaries. Addresses and counts are unsigned 32-bit numbers. */
export interface OneBitKernels {
  rotate(vector: number, signs: number, size: number, power: number, rounds: number): void;
  loadRow(source: number, weight: number, centre: number, groups: number, size: number, out: number): void;
  encodeBits(
    codes: number,
    codeBytes: number,
    count: number,
    raw: number,
    factors: number,
    centre: number,
    groups: number,
    c: number,
    signs: number,
    size: number,
    power: number,
    rounds: number,
    kappa: number,
    work: number,
    out: number,
  ): void;
  bitTables(query: number, size: number, tables: number): void;
  scanBits(
    blocks: number,
    count: number,
    groups: number,
    tables: number,
    factor: number,
    shift: number,
    weight: number,
    kappa: number,
    base: number,
    error: number,
    slack: number,
    floor: number,
    deleted: number,
    allow: number,
    out: number,
  ): number;
  anchorTerms(
    mode: number,
    query: number,
    block: number,
    lane: number,
    centres: number,
    steps: number,
    groups: number,
    out: number,
  ): void;
  anchorRow(
    block: number,
    lane: number,
    centres: number,
    steps: number,
    groups: number,
    size: number,
    out: number,
  ): void;
}
