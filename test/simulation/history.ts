/* Runs whole worlds: from the first server to the proof that nothing is missing in the end. */
import { OmenError } from '#server/core/errors.js';
import { SeededRng } from '../support/seeded-rng.js';
import { startArchivist } from './archivist.js';
import { Backups } from './backups.js';
import { heal, restart, startChaos } from './chaos.js';
import { Violation } from './linearizability.js';
import { Reader, startReader } from './readers.js';
import { SimProcess } from './server.js';
import type { Settings } from './settings.js';
import { collect, startCollector, startKeeper } from './upkeep.js';
import { startWriter } from './writers.js';
import type { Subject } from './world.js';
import { NAME, World } from './world.js';

/** What became of a world. */
export interface History {
  readonly trace: readonly string[];
  readonly settings: Settings;
  /** Slots of all logs. */
  readonly slots: number;
  readonly merges: number;
  /** Slots that a late writer put where the log had been collected. */
  readonly strays: number;
  /** Null when every promise was kept. */
  readonly violation: Violation | null;
}

const HOUR_MS = 3_600_000;

/** Runs a world for at least `events` events. The same seed gives the same trace. */
export async function runHistory(seed: number, events: number): Promise<History> {
  const world = new World(seed);
  const backups = new Backups(world);
  try {
    await live(world, backups, events);
    await rest(world);
    await world.wait(backups.expectRestores());
  } catch (error) {
    world.fail(error);
  } finally {
    world.dispose();
  }
  const { trace, settings, subjects, violation } = world;
  const sum = (of: (subject: (typeof subjects)[number]) => number): number =>
    subjects.reduce((total, subject) => total + of(subject), 0);
  return {
    ...{ trace, settings, violation, slots: sum(({ checker }) => checker.now) },
    merges: sum(({ rules }) => rules.merges),
    strays: sum(({ rules }) => rules.strays),
  };
}

async function live(world: World, backups: Backups, events: number): Promise<void> {
  const { settings } = world;
  for (let number = 0; number < settings.servers; number++) await world.wait(restart(world, number));
  for (const tenant of settings.tenants) await world.wait(create(world, tenant));
  const actors = [
    ...Array.from({ length: settings.writers }, (_, index) => startWriter(world, `writer ${index}`)),
    ...Array.from({ length: settings.readers }, (_, index) => startReader(world, `reader ${index}`)),
    ...[startKeeper(world), startCollector(world), startArchivist(world), startChaos(world)],
    ...(settings.backups ? [backups.start()] : []),
  ];
  const all = Promise.all(actors);
  all.catch(world.fail);
  await world.until(() => world.trace.length >= events);
  await world.wait(heal(world));
  await world.wait(all);
}

async function create(world: World, tenant: string): Promise<void> {
  const request = { name: NAME, dimensions: 4, metric: 'l2', requestId: `create ${tenant}` } as const;
  while (!world.subjects.some((subject) => subject.tenant === tenant)) {
    const server = world.pickServer(world.rng);
    const reply = await server.call(tenant, 20_000, ({ handlers }, context) =>
      handlers.createCollection(context, request),
    );
    if (reply.kind === 'error') world.note('client', `create: ${reply.error.reason}`);
  }
}

/**
 * With nothing going wrong any more, every server answers, nothing is missing, nothing is left behind, and
 * then nothing happens.
 */
async function rest(world: World): Promise<void> {
  const { timeline } = world;
  // A fault that was under way may have killed a server since.
  await world.wait(heal(world));
  world.note('world', 'is healed');
  await world.wait(timeline.sleep(60_000));
  await world.wait(heal(world));
  world.resting = true;
  await world.wait(readAll(world));
  // Takes their rights from jobs of dead servers, which keep others from merging.
  await world.wait(collectAll(world));
  await world.wait(timeline.sleep(HOUR_MS));
  await world.wait(collectAll(world));
  expectNoGarbage(world);
  const calls = world.trace.length;
  await world.wait(timeline.sleep(HOUR_MS));
  if (world.trace.length > calls) {
    throw new Violation(`an idle world does something: ${world.trace[calls] ?? ''}`);
  }
}

async function readAll(world: World): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  for (const subject of world.subjects) {
    for (const server of world.servers) {
      const reader = new Reader({ world, rng, name: 'last reader', subject, server }, 'strong');
      if (await reader.scan(1000)) continue;
      throw new Violation(`${server.name} does not answer although nothing goes wrong any more`);
    }
  }
}

async function collectAll(world: World): Promise<void> {
  // A pass lets go of versions and pins, and the next one finds what only they needed.
  for (let pass = 0; pass < 4; pass++) {
    for (const subject of world.subjects) await collectOnce(world, subject, pass);
  }
}

async function collectOnce(world: World, subject: Subject, pass: number): Promise<void> {
  const process = new SimProcess(`last collector ${pass}`, world, world.nextSeed());
  const jobs = subject.rules.root?.jobs.map(({ jobId }) => jobId) ?? [];
  await collect(process, subject, jobs, world).catch((error: unknown) => {
    if (error instanceof OmenError) throw new Violation(`garbage cannot be collected: ${error.message}`);
    throw error;
  });
}

function expectNoGarbage({ subjects }: World): void {
  for (const { rules } of subjects) {
    const left = rules.garbage();
    if (left.length > 0) throw new Violation(`nothing needs these objects: ${left.join(' ')}`);
  }
}
