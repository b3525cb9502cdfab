/**
 * What goes wrong beside single store calls: processes die, sleep and lose the time, storage is out of order.
 */
import { OmenError } from '#server/core/errors.js';
import type { Call } from '../support/failing-object-store.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { SimServer } from './server.js';
import { pick } from './writers.js';
import type { World } from './world.js';

const HOUR_MS = 3_600_000;

/** Strikes until the world is healed. */
export async function startChaos(world: World): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  const { timeline, settings } = world;
  while (!world.healed) {
    await timeline.sleep(-Math.log(1 - rng.unit()) * settings.chaosMs);
    if (!world.healed) strike(world, rng);
  }
}

/** Brings every server back: thawed, or started again if it is dead. */
export async function heal(world: World): Promise<void> {
  world.healed = true;
  for (const hold of world.held) hold.release();
  for (const [number, server] of world.servers.entries()) {
    server.time.thaw();
    server.store.heal();
    if (!server.alive || server.app === null) await restart(world, number);
  }
}

/** Starts a server, again while storage is in the way. */
export async function restart(world: World, number: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await world.startServer(number);
      return;
    } catch (error) {
      if (!(error instanceof OmenError) || tries > 20) throw error;
      world.note(`server ${number}`, `does not start: ${error.reason}`);
      world.servers[number]?.kill();
      await world.timeline.sleep(1000);
    }
  }
}

function strike(world: World, rng: SeededRng): void {
  const server = pick(rng, world.servers);
  if (server === undefined) return;
  const dice = rng.below(100);
  if (dice < 20) freeze(world, rng, server);
  else if (dice < 34) ambush(world, rng, server);
  else if (dice < 45) {
    world.note(server.name, 'is killed');
    server.kill();
  } else if (dice < 60) {
    server.store.failAt(rng.below(8), rng.chance(0.5) ? 'killed-before' : 'killed-after');
  } else if (dice < 70) jump(world, rng, server);
  else if (dice < 90) outage(world, rng, server);
  else calm(world, rng);
  for (const [number, other] of world.servers.entries()) if (!other.alive) revive(world, rng, number, other);
}

const reviving = new WeakSet<SimServer>();

function revive(world: World, rng: SeededRng, number: number, dead: SimServer): void {
  if (reviving.has(dead)) return;
  reviving.add(dead);
  world.timeline.at(world.timeline.now + rng.unit() * 3000, () => {
    if (world.healed || world.servers[number] !== dead) return;
    restart(world, number).catch(world.fail);
  });
}

function freeze(world: World, rng: SeededRng, server: SimServer): void {
  if (server.time.frozen || !server.alive) return;
  const { thinkMs } = world.settings;
  stop(world, server, rng.chance(0.1) ? rng.unit() * 2 * HOUR_MS : 20 + thinkMs * 200 ** rng.unit());
}

function stop(world: World, server: SimServer, ms: number): void {
  server.time.freeze();
  world.note(server.name, `is frozen for ${ms.toFixed(0)} ms`);
  world.timeline.at(world.timeline.now + ms, () => {
    if (!server.time.frozen || !server.alive) return;
    server.time.thaw();
    world.note(server.name, 'thaws');
  });
}

/**
 * Stops a server right before or after a write that decides something takes effect, for as long as others
 * need to fold and collect the log.
 */
function ambush(world: World, rng: SeededRng, server: SimServer): void {
  const kind = rng.below(4);
  const decides = ({ operation, key }: Call): boolean =>
    kind === 0
      ? operation === 'compareAndSwap'
      : operation === 'putIfAbsent' && (kind === 1 ? /\/[sdr]\// : /\/w\//).test(key);
  const hold = server.store.hold(rng.chance(0.6) ? 'before' : 'after', decides);
  world.held.push(hold);
  void hold.reached.then(() => {
    const caught = !world.healed && server.alive && !server.time.frozen;
    const ms = caught ? world.settings.thinkMs * (20 + rng.unit() * 200) : 0;
    if (caught) stop(world, server, ms);
    world.timeline.at(world.timeline.now + ms, () => hold.release());
  });
}

function jump(world: World, rng: SeededRng, server: SimServer): void {
  const ms = (rng.unit() * 2 - 1) * HOUR_MS;
  server.time.jump(ms);
  world.note(server.name, `has its clock set by ${ms.toFixed(0)} ms`);
}

function outage(world: World, rng: SeededRng, server: SimServer): void {
  const who = rng.chance(0.5) ? '*' : server.name;
  const ms = 100 * 60 ** rng.unit();
  world.outages.set(who, world.timeline.now + ms);
  world.note(who === '*' ? 'storage' : who, `has no storage for ${ms.toFixed(0)} ms`);
}

/** Hours in which no client asks for anything. */
function calm(world: World, rng: SeededRng): void {
  const ms = 10_000 * 500 ** rng.unit();
  world.calmUntilMs = world.timeline.now + ms;
  world.note('clients', `rest for ${ms.toFixed(0)} ms`);
}
