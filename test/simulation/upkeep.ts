/* What keeps collections in shape: flushes and merges asked of servers, and collectors on their own. */
import { collectGarbage } from '#server/app/maintenance/collect-garbage.js';
import { ObjectLayout } from '#server/app/log/object-layout.js';
import { RootStore } from '#server/app/log/root-store.js';
import { OmenError } from '#server/core/errors.js';
import type { CollectionId, TenantId } from '#server/core/ids.js';
import { silentLogger } from '../support/log-node.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { SimServer } from './server.js';
import { SimProcess } from './server.js';
import { pick } from './writers.js';
import type { Subject, World } from './world.js';

/** Asks servers to fold and merge until the world is healed. */
export async function startKeeper(world: World): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  const asked = new Set<SimServer>();
  while (!world.healed) {
    await world.think(rng);
    await world.timeline.sleep(rng.unit() * 20 * world.settings.thinkMs);
    const [subject, server] = [pick(rng, world.subjects), pick(rng, world.servers)];
    if (subject === undefined || server === undefined || world.healed || asked.has(server)) continue;
    asked.add(server);
    const merge = rng.chance(0.5);
    world.note('keeper', `asks ${server.name} to ${merge ? 'merge' : 'flush'}`);
    // Nobody waits: the server may be frozen or dead.
    server
      .inside(async ({ collections }) => {
        const collection = await collections.open(subject.tenant as TenantId, subject.name);
        await (merge ? collection.upkeep.settle() : collection.upkeep.flush());
      })
      .then(
        () => world.note('keeper', `${server.name} has ${merge ? 'merged' : 'flushed'}`),
        (error: unknown) => {
          if (error instanceof OmenError) world.note('keeper', `${server.name} failed: ${error.reason}`);
          else world.fail(error);
        },
      )
      .finally(() => asked.delete(server));
  }
}

/**
 * Collectors, one after the other; some sleep in the middle of their work and go on when another has begun.
 * Some take away the rights of jobs that are under way, as if their workers were dead.
 */
export async function startCollector(world: World): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  while (!world.healed) {
    await world.think(rng);
    await world.timeline.sleep(rng.unit() * 25 * world.settings.thinkMs);
    const subject = pick(rng, world.subjects);
    if (subject === undefined || world.healed) continue;
    const process = new SimProcess(world.nextOperation('collector'), world, world.nextSeed());
    const jobs = subject.rules.root?.jobs.map(({ jobId }) => jobId) ?? [];
    const revoke = jobs.filter(() => rng.chance(0.3));
    world.note(process.name, `begins${revoke.length > 0 ? `, revokes ${revoke.length} jobs` : ''}`);
    const pass = collect(process, subject, revoke, world).then(
      ({ objects }) => world.note(process.name, `removed ${JSON.stringify(objects)}`),
      (error: unknown) => {
        if (error instanceof OmenError) world.note(process.name, `failed: ${error.reason}`);
        else world.fail(error);
      },
    );
    if (rng.chance(0.3)) {
      await world.timeline.sleep(rng.unit() * 10 * world.settings.latencyMs);
      process.time.freeze();
      world.note(process.name, 'is frozen');
      world.timeline.at(world.timeline.now + rng.unit() * 100 * world.settings.thinkMs, () => {
        process.time.thaw();
        world.note(process.name, 'thaws');
      });
    } else await pass;
  }
}

/** One pass of a collector. */
export function collect(
  { store, rng, time }: SimProcess,
  { id }: Pick<Subject, 'id'>,
  revoke: readonly string[],
  { settings }: World,
): ReturnType<typeof collectGarbage> {
  const layout = new ObjectLayout().collection(id as CollectionId);
  const shared = { store, rng, clock: time, scheduler: time, logger: silentLogger, layout };
  const keepVersions = settings.ids % 3;
  return collectGarbage(
    { ...shared, rootStore: new RootStore(shared) },
    { revoke, keepVersions, windowMs: settings.retentionMs },
  );
}
