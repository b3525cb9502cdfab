/*
 * The typed face of the WASM kernels (`server/kernels`). A kernel is a pure function over addresses of the
 * shared memory, so one compiled module serves any number of threads; each instantiates it over the same
 * memory.
 *
 * Addresses and counts are unsigned 32-bit numbers. Rows are f32, `stride` bytes apart, their unused tail
 * zero. A "group" is 4 dimensions. What the kernels promise beyond their types is said where they are
 * written.
 */
import type { OneBitKernels } from './one-bit-kernels.js';

/** The exports of both kernel binaries. */
export interface KernelFunctions extends OneBitKernels {
  collectorReset(
    collector: number,
    keep: number,
    capacity: number,
    seen: number,
    deleted: number,
    allow: number,
  ): void;
  collectorShrink(collector: number): number;
  collectorSort(collector: number): number;
  collectorTake(collector: number, rows: number, scores: number): number;
  quantizeQuery(
    query: number,
    weight: number,
    centres: number,
    steps: number,
    groups: number,
    out: number,
  ): void;
  scanBlocks(
    blocks: number,
    count: number,
    groups: number,
    terms: number,
    query: number,
    factor: number,
    shift: number,
    collector: number,
  ): void;
  scanPostings(
    blocks: number,
    table: number,
    list: number,
    count: number,
    groups: number,
    terms: number,
    query: number,
    factor: number,
    shift: number,
    collector: number,
  ): number;
  scanPieces(
    pieces: number,
    count: number,
    groups: number,
    terms: number,
    query: number,
    factor: number,
    shift: number,
    collector: number,
  ): number;
  bestEntry(
    blocks: number,
    count: number,
    groups: number,
    query: number,
    factor: number,
    shift: number,
  ): number;
  encodeEntries(
    rows: number,
    count: number,
    raw: number,
    factors: number,
    centres: number,
    inverses: number,
    groups: number,
    terms: number,
    halves: number,
    out: number,
  ): void;
  scanRange(
    metric: number,
    raw: number,
    stride: number,
    factors: number,
    query: number,
    from: number,
    to: number,
    collector: number,
  ): void;
  scanList(
    metric: number,
    raw: number,
    stride: number,
    factors: number,
    query: number,
    list: number,
    count: number,
    collector: number,
  ): void;
  quantizeRows(
    list: number,
    count: number,
    raw: number,
    factors: number,
    centres: number,
    steps: number,
    groups: number,
    out: number,
  ): void;
  assignRounded(
    rounded: number,
    count: number,
    tree: number,
    groups: number,
    capacity: number,
    scratch: number,
    out: number,
  ): void;
  addToSums(
    list: number,
    clusters: number,
    count: number,
    raw: number,
    factors: number,
    groups: number,
    sums: number,
    counts: number,
  ): void;
  assignNear(
    list: number,
    count: number,
    raw: number,
    factors: number,
    tree: number,
    centres: number,
    steps: number,
    groups: number,
    lambda: number,
    keep: number,
    capacity: number,
    scratch: number,
    first: number,
    second: number,
  ): void;
  countBits(bitmap: number, from: number, to: number): number;
  listBits(bitmap: number, rows: number, out: number): number;
  crcTables(tables: number): void;
  crc32c(tables: number, at: number, bytes: number, seed: number): number;
}

/**
 * The kernels over one memory, with views of all of it. The memory must not grow afterwards: views would end
 * where it ended.
 */
export interface Kernels {
  readonly call: KernelFunctions;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
}

/** A shared memory's bytes, whatever the type library calls the buffer behind it. */
type MemoryBuffer = ArrayBuffer;

/** The kernels over a memory, with views of it. The memory may be shared; it must not grow afterwards. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const buffer = memory.buffer as MemoryBuffer;
  return {
    call: instance.exports as unknown as KernelFunctions,
    u8: new Uint8Array(buffer),
    u32: new Uint32Array(buffer),
    i32: new Int32Array(buffer),
    f32: new Float32Array(buffer),
  };
}

export const KERNEL_VARIANTS = ['relaxed', 'plain'] as const;

/**
 * `relaxed` uses the 8×7-bit dot product of relaxed SIMD, `plain` computes the same bits without it, two to
 * three times slower.
 */
export type KernelVariant = (typeof KERNEL_VARIANTS)[number];

/**
 * Whether this engine compiles the relaxed dot product, found by validating a module of one function:
 * `i16x8.relaxed_dot_i8x16_i7x16_s(local 0, local 0)`.
 */
export function relaxedSimdSupported(): boolean {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  // One type: (v128) -> v128; one function of it.
  const types = [0x01, 0x06, 0x01, 0x60, 0x01, 0x7b, 0x01, 0x7b];
  const functions = [0x03, 0x02, 0x01, 0x00];
  const body = [0x00, 0x20, 0x00, 0x20, 0x00, 0xfd, 0x92, 0x02, 0x0b];
  const code = [0x0a, body.length + 2, 0x01, body.length, ...body];
  return WebAssembly.validate(new Uint8Array([...header, ...types, ...functions, ...code]));
}
