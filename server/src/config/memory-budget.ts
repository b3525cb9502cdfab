/*
 * How the memory of a container is divided, so that a server which is given too much to keep says so, and is
 * not killed. The numbers were measured: docs/decisions, "Memory of a container".
 */
import { ARENA_BYTES_MAX } from '../core/memory/arena.js';
import type { Machine } from './machine.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const ENGINE_BYTES_MIN = 128 * MIB;
/** Two of the largest messages. */
const HELD_BYTES_MIN = 64 * MIB;
/** Eight of the largest answers in JSON. */
const HELD_BYTES_MAX = 256 * MIB;
/** What the runtime, its code and its threads take whatever is asked of the server. */
const RUNTIME_BYTES = 160 * MIB;
/** What the heap grew to under the heaviest loads; its limit is far above that. */
const HEAP_BYTES = 192 * MIB;

/**
 * What engines share: half, and in a small container less by an eighth of what it lacks to 2 GiB, because the
 * runtime takes the same there.
 */
export function engineBytes({ memoryBytes }: Machine): number {
  const half = Math.floor(memoryBytes / 2 - Math.max(0, 2 * GIB - memoryBytes) / 8);
  return Math.min(ARENA_BYTES_MAX, Math.max(ENGINE_BYTES_MIN, half));
}

/** Bodies and answers under way at once. */
export function heldBytes({ memoryBytes }: Machine): number {
  return Math.min(HELD_BYTES_MAX, Math.max(HELD_BYTES_MIN, Math.floor(memoryBytes / 16)));
}

/**
 * The most that engines may be given without the risk that all together is more than there is. Bodies count
 * twice: they are put together from pieces, and freed with delay.
 */
export function engineBytesAdvised(machine: Machine): number {
  return Math.max(0, machine.memoryBytes - 2 * heldBytes(machine) - HEAP_BYTES - RUNTIME_BYTES);
}
