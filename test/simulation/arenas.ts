/*
 * Engine memory for simulated servers. A WebAssembly memory takes gigabytes of address space, and a world
 * opens dozens of servers: arenas are cleared and used again.
 */
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { InlineEnginePool } from '#server/adapters/worker-pool/inline-engine-pool.js';
import type { Region } from '#server/core/memory/arena.js';
import { Arena } from '#server/core/memory/arena.js';
import type { EnginePool } from '#server/ports/engine-pool.js';

const BYTES = 40 * 1024 * 1024;
const kernels = loadKernels();
const free: ReusableArena[] = [];

class ReusableArena extends Arena {
  readonly #regions = new Set<Region>();

  override allocate(...request: Parameters<Arena['allocate']>): Region {
    const region = super.allocate(...request);
    this.#regions.add(region);
    return region;
  }

  override free(region: Region): void {
    this.#regions.delete(region);
    super.free(region);
  }

  /** Frees everything. Whoever used it must not run any more. */
  clear(): void {
    this.reclaim = () => false;
    for (const region of [...this.#regions]) this.free(region);
  }
}

export interface BorrowedPool {
  readonly pool: EnginePool;
  /** To be called when the process that used it can never run again. */
  giveBack(): void;
}

/** An engine on an arena of its own. */
export function borrowPool(): BorrowedPool {
  const arena = free.pop() ?? new ReusableArena(BYTES);
  return {
    pool: new InlineEnginePool(arena, kernels.module, kernels.variant),
    giveBack: () => {
      arena.clear();
      free.push(arena);
    },
  };
}
