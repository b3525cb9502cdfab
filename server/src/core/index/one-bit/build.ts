/*
 * Adds 1-bit codes to a clustered segment whose other sections are written: codes, then what was measured on
 * them, then the word in the section `centroids` that there are any.
 */
import { invariant } from '../../errors.js';
import type { Kernels } from '../../vector/kernels.js';
import type { Scratch } from '../../vector/scratch.js';
import type { CalibrationReport, Membership } from '../calibrate.js';
import type { IvfView } from '../layout.js';
import { CALIBRATED_TARGETS } from '../layout.js';
import { calibrateOneBit, calibrateOneBitScratchBytes } from './calibrate.js';
import type { OneBitView } from './layout.js';
import { ONE_BIT_DIMENSIONS_MIN, openOneBit, writeOneBitHeader } from './layout.js';
import { writeOneBit, writeOneBitScratchBytes } from './write.js';

/** Scratch that `addOneBit` needs beside that of a search; 0 when a segment gets no codes. */
export function addOneBitScratchBytes(dimensions: number): number {
  if (dimensions < ONE_BIT_DIMENSIONS_MIN) return 0;
  return writeOneBitScratchBytes(dimensions) + calibrateOneBitScratchBytes(dimensions);
}

/** @param address Where the section `codes1bit` lies, `oneBitBytes` long. */
export function addOneBit(
  kernels: Kernels,
  scratch: Scratch,
  ivf: IvfView,
  measured: { readonly report: CalibrationReport; readonly membership: Membership },
  { address, seed }: { readonly address: number; readonly seed: number },
): OneBitView {
  const none = new Float32Array(CALIBRATED_TARGETS.length).fill(1);
  // Zero stands for no codes.
  const rotation = seed >>> 0 || 1;
  writeOneBitHeader(kernels, ivf, rotation, { slack: none, surplus: none });
  const written = openWritten(kernels, ivf);
  writeOneBit(kernels, scratch, written, address);
  const calibration = calibrateOneBit(kernels, scratch, written, address, measured);
  writeOneBitHeader(kernels, ivf, rotation, calibration);
  return openWritten(kernels, ivf);
}

function openWritten(kernels: Kernels, ivf: IvfView): OneBitView {
  const view = openOneBit(kernels, ivf);
  invariant(view !== null, 'the header of the 1-bit codes was just written');
  return view;
}
