/*
 * Reads and compiles the kernels, the fastest variant that this Node can run.
 */
import { readFileSync } from 'node:fs';
import v8 from 'node:v8';
import type { KernelVariant } from '../../core/vector/kernels.js';
import { relaxedSimdSupported } from '../../core/vector/kernels.js';

export interface KernelBinary {
  readonly variant: KernelVariant;
  readonly module: WebAssembly.Module;
}

/** @param variant Which binary to load, instead of the fastest. */
export function loadKernels(variant: KernelVariant = chooseKernels()): KernelBinary {
  const path = new URL(`../../kernels/${variant}.wasm`, import.meta.url);
  return { variant, module: new WebAssembly.Module(readFileSync(path)) };
}

/**
 * Finds out what this process supports. Before Node 22 relaxed SIMD is finished but behind a flag, which this
 * sets.
 */
export function chooseKernels(): KernelVariant {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 22) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  return relaxedSimdSupported() ? 'relaxed' : 'plain';
}
