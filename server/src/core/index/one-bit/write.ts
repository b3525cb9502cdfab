/*
 * Writes the 1-bit codes of a clustered segment whose byte codes are written: the same entries, block by
 * block.
 */
import type { Kernels } from '../../vector/kernels.js';
import type { Scratch } from '../../vector/scratch.js';
import { scratchBytes } from '../../vector/scratch.js';
import type { IvfView } from '../layout.js';
import { BLOCK_ENTRIES, blockBytes } from '../layout.js';
import type { OneBitView } from './layout.js';
import { oneBitRange } from './layout.js';
import { ROTATION_ROUNDS, codeBits } from './rotation.js';

/** Scratch that `writeOneBit` needs. */
export function writeOneBitScratchBytes(dimensions: number): number {
  const vector = codeBits(dimensions) * 4;
  return scratchBytes(vector * ROTATION_ROUNDS, vector, vector);
}

/** Writes the section at `address`, all of its bytes. The byte codes and the rows are in memory. */
export function writeOneBit(kernels: Kernels, scratch: Scratch, view: OneBitView, address: number): void {
  const mark = scratch.mark();
  const { ivf, rotation } = view;
  const signs = scratch.take(rotation.signs.byteLength);
  kernels.f32.set(rotation.signs, signs / 4);
  const anchor = scratch.take(rotation.size * 4);
  const work = scratch.take(rotation.size * 4);
  const codeBytes = blockBytes(ivf.groups, ivf.terms);
  let written = address;
  for (let cluster = 0; cluster < ivf.clusters; cluster++) {
    const { offset, bytes, blocks } = oneBitRange(view, cluster);
    kernels.u8.fill(0, written, address + offset);
    rotatedAnchor(kernels, view, cluster, signs, anchor);
    kernels.call.encodeBits(
      ivf.postingBlocks + (kernels.u32[ivf.table / 4 + cluster] ?? 0) * codeBytes,
      codeBytes,
      blocks,
      ivf.raw,
      ivf.metric === 'cosine' ? ivf.factors : 0,
      ivf.metric === 'l2' ? ivf.centres : 0,
      ivf.groups,
      anchor,
      signs,
      rotation.size,
      rotation.power,
      ROTATION_ROUNDS,
      kappaOf(ivf, rotation.size),
      work,
      address + offset,
    );
    written = address + offset + bytes;
  }
  kernels.u8.fill(0, written, address + (view.pages[ivf.clusters] ?? 0) * 4096);
  scratch.release(mark);
}

/**
 * f times f times this is about half of the squared length of a residual, so that the term of an entry has to
 * say only what is missing. Zero for metrics that need no length.
 */
export function kappaOf(ivf: IvfView, size: number): number {
  return ivf.metric === 'l2' ? size / Math.PI : 0;
}

/** Where a centroid stands among the coded ones. */
export function anchorAt(ivf: IvfView, cluster: number): { readonly block: number; readonly lane: number } {
  const block = ivf.centroidBlocks + Math.floor(cluster / BLOCK_ENTRIES) * blockBytes(ivf.groups, 2);
  return { block, lane: cluster % BLOCK_ENTRIES };
}

/** The centroid as queries can read it, from its byte codes, rotated. */
function rotatedAnchor(
  kernels: Kernels,
  view: OneBitView,
  cluster: number,
  signs: number,
  out: number,
): void {
  const { ivf, rotation } = view;
  const { block, lane } = anchorAt(ivf, cluster);
  const centres = ivf.metric === 'l2' ? 0 : ivf.centres;
  kernels.call.anchorRow(block, lane, centres, ivf.steps, ivf.groups, rotation.size, out);
  kernels.call.rotate(out, signs, rotation.size, rotation.power, ROTATION_ROUNDS);
}
