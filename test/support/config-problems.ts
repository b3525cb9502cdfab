import type { Machine } from '#server/config/machine.js';
import type { Config, Environment } from '#server/config/load.js';
import { ConfigError, loadConfig } from '#server/config/load.js';

/** A machine with 2 cores and 8 GiB. */
export const MACHINE: Machine = { cores: 2, memoryBytes: 8 * 2 ** 30 };

/** The settings of a server on that machine or another one. */
export function loadOn(env: Environment, machine = MACHINE): Config {
  return loadConfig(env, machine);
}

/** What is wrong with settings, a line each. */
export function problemsOf(env: Environment): readonly string[] {
  try {
    loadOn(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
