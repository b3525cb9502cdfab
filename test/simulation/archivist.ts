/* A client that keeps moments, makes branches of them, and lets go of both again. */
import type { AsOf } from '#server/app/api.js';
import type { OmenError } from '#server/core/errors.js';
import { SeededRng } from '../support/seeded-rng.js';
import { Violation } from './linearizability.js';
import type { Reply, SimServer } from './server.js';
import { describeReply, pick } from './writers.js';
import type { Subject, World } from './world.js';
import { NAME } from './world.js';

const NAME_OF_CLIENT = 'archivist';
const BRANCHES_MAX = 3;
const TRIES_MAX = 6;
/** What a repeated request may hear of its first try, and whoever comes too late. */
const HARMLESS: ReadonlySet<OmenError['reason']> = new Set([
  ...(['SNAPSHOT_EXISTS', 'SNAPSHOT_NOT_FOUND', 'COLLECTION_EXISTS', 'COLLECTION_NOT_FOUND'] as const),
  // The moment may be collected before it is pinned.
  'MOMENT_NOT_KEPT',
]);

/** Works until the world is healed. */
export async function startArchivist(world: World): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  while (!world.healed) {
    await world.think(rng);
    await world.timeline.sleep(rng.unit() * 20 * world.settings.thinkMs);
    const subject = pick(rng, world.subjects);
    if (subject === undefined || world.healed) continue;
    const dice = rng.below(100);
    if (dice < 45) await keep(world, rng, subject);
    else if (dice < 60) await letGo(world, rng, subject);
    else if (dice < 85) await branch(world, rng, subject);
    else await drop(world, rng, subject);
  }
}

/** A snapshot holds everything that was acknowledged before it was asked for. */
async function keep(world: World, rng: SeededRng, subject: Subject): Promise<void> {
  const name = world.nextOperation('snapshot');
  const { checker, snapshots } = subject;
  const { floor } = checker.ticket(world.timeline.now);
  const value = await insist(world, rng, `keeps ${name}`, (server) =>
    ask(world, server, subject, (app, context) =>
      app.handlers.createSnapshot(context, { collection: subject.name, name, requestId: name }),
    ),
  );
  if (value === null) return;
  const { sequenceNumber } = value;
  snapshots.set(name, sequenceNumber);
  if (sequenceNumber < checker.sequenceOf(floor)) {
    world.fail(new Violation(`${name} ends at ${sequenceNumber}, before what was acknowledged`));
  }
}

async function letGo(world: World, rng: SeededRng, subject: Subject): Promise<void> {
  const name = pick(rng, [...subject.snapshots.keys()]);
  if (name === undefined) return;
  subject.snapshots.delete(name);
  world.letGo.push(name);
  await insist(world, rng, `lets go of ${name}`, (server) =>
    ask(world, server, subject, (app, context) =>
      app.handlers.deleteSnapshot(context, { collection: subject.name, name, requestId: name }),
    ),
  );
}

/** From then on clients use the branch as they use the others. */
async function branch(world: World, rng: SeededRng, subject: Subject): Promise<void> {
  if (world.subjects.length >= BRANCHES_MAX) return;
  const name = world.nextOperation('branch');
  world.origins.set(name, subject.rules);
  const { checker } = subject;
  const first = checker.sequenceOf(checker.base);
  const past = rng.chance(0.4) ? first + rng.below(checker.sequence - first + 1) : null;
  const asOf: { readonly asOf?: AsOf } = past === null ? {} : { asOf: { kind: 'sequence', sequence: past } };
  const detaches = rng.chance(0.4);
  const request = { collection: subject.name, name, requestId: name, ...asOf };
  await insist(world, rng, `${detaches ? 'copies' : 'branches'} ${subject.name} to ${name}`, (server) =>
    ask(world, server, subject, ({ handlers }, context) =>
      detaches ? handlers.copyCollection(context, request) : handlers.branchCollection(context, request),
    ),
  );
}

/** Deletes a branch, or the origin of branches, but never the collection that writers began with. */
async function drop(world: World, rng: SeededRng, subject: Subject): Promise<void> {
  if (subject.name === NAME) return;
  subject.dropped = true;
  world.droppedNames.add(subject.name);
  world.subjects.splice(world.subjects.indexOf(subject), 1);
  await insist(world, rng, `drops ${subject.name}`, (server) =>
    ask(world, server, subject, (app, context) =>
      app.handlers.deleteCollection(context, { collection: subject.name, requestId: `drop ${subject.name}` }),
    ),
  );
}

function ask<T>(
  world: World,
  server: SimServer,
  { tenant }: Subject,
  run: Parameters<typeof server.call<T>>[2],
): Promise<Reply<T>> {
  return server.call(tenant, world.settings.clientMs, run);
}

/** Repeats a request until it is answered; null when it never is. */
async function insist<T>(
  world: World,
  rng: SeededRng,
  what: string,
  run: (server: SimServer) => Promise<Reply<T>>,
): Promise<T | null> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const server = world.pickServer(rng);
    world.note(NAME_OF_CLIENT, `${what} on ${server.name}`);
    const reply = await run(server);
    world.note(NAME_OF_CLIENT, `${what}: ${describeReply(reply)}`);
    if (reply.kind === 'ok') return reply.value;
    if (reply.kind === 'error' && HARMLESS.has(reply.error.reason)) return null;
    if (reply.kind === 'error') world.expectAllowed(reply.error);
    await world.timeline.sleep(rng.unit() * 100 * 2 ** tries);
  }
  return null;
}
