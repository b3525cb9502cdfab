/*
 * All boards.
 */
import { cost } from './cost.js';
import { enginePool } from './engine-pool.js';
import type { Board } from './lib/board.js';
import { overview } from './overview.js';
import { queries } from './queries.js';
import { slo } from './slo.js';
import { storage } from './storage.js';
import { tenants } from './tenants.js';

/** Every board, in the order of their links. The objects are made anew at each call. */
export function boards(): Board[] {
  return [overview(), queries(), enginePool(), storage(), tenants(), slo(), cost()];
}

/** The text of a board's file. */
export function boardText({ json }: Board): string {
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
