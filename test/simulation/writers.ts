/**
 * Clients that write: each operation is repeated with its request id, on any server, until it has an answer.
 */
import type { App } from '#server/app/app.js';
import type { RequestContext, WriteReceipt } from '#server/app/api.js';
import type { OmenError } from '#server/core/errors.js';
import type { Filter } from '#server/core/filter/ast.js';
import { SeededRng } from '../support/seeded-rng.js';
import { columnsOf } from '../support/test-app.js';
import type { Answer, Intent, ModelRecord } from './model.js';
import type { Reply } from './server.js';
import { attributesOf } from './wire-records.js';
import type { Subject, World } from './world.js';

export const COLORS = ['red', 'green', 'blue'] as const;
const TRIES_MAX = 6;

interface Acknowledged {
  readonly receipt: WriteReceipt;
  readonly answer: Answer;
}

/** Writes until the world is healed. */
export async function startWriter(world: World, name: string): Promise<void> {
  const rng = new SeededRng(world.nextSeed());
  while (!world.healed) {
    await world.think(rng);
    const subject = pick(rng, world.subjects);
    if (subject === undefined) continue;
    const stamp = world.nextOperation('w');
    const intent = drawIntent(rng, world, stamp);
    // The log does not name such a write, so it must leave records that do.
    const anonymous = (intent.kind === 'upsert' || intent.kind === 'patch') && rng.chance(0.2);
    await write({ world, rng, name, subject }, { stamp, intent, anonymous });
  }
}

interface Client {
  readonly world: World;
  readonly rng: SeededRng;
  readonly name: string;
  readonly subject: Subject;
}

interface Operation {
  readonly stamp: string;
  readonly intent: Intent;
  readonly anonymous: boolean;
}

/** One write with its repetitions. True when it was acknowledged. */
export async function write(client: Client, { stamp, intent, anonymous }: Operation): Promise<boolean> {
  const { world, rng, name, subject } = client;
  const { checker } = subject;
  const { timeline } = world;
  checker.begin(stamp, intent, timeline.now);
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const server = world.pickServer(rng);
    checker.attempt(stamp);
    world.note(name, `${stamp} ${intent.kind}${anonymous ? ' without id' : ''} on ${server.name}`);
    const reply = await world.call(server, subject, (app, context) =>
      send(app, context, subject.name, { stamp, intent, anonymous }),
    );
    world.note(name, `${stamp}: ${describeReply(reply)}`);
    if (reply.kind === 'ok') {
      const { receipt, answer } = reply.value;
      // The name of a dropped collection may belong to another one by now.
      if (subject.dropped) return true;
      check(world, () => checker.acknowledged(stamp, receipt.sequenceNumber, answer, timeline.now));
      remember(subject, receipt);
      return true;
    }
    const certain = isCertain(reply);
    check(world, () => checker.failed(stamp, certain));
    if (anonymous && !certain) return false;
    await timeline.sleep(rng.unit() * 100 * 2 ** tries);
  }
  return false;
}

/** Notes a token for later reads. */
export function remember({ tokens }: Subject, { sessionToken, sequenceNumber }: WriteReceipt): void {
  tokens.push({ token: sessionToken, sequence: sequenceNumber });
  if (tokens.length > 8) tokens.shift();
}

/** Runs a check; a broken promise ends the world. */
export function check(world: World, expectation: () => void): void {
  try {
    expectation();
  } catch (error) {
    world.fail(error);
  }
}

export function pick<T>(rng: SeededRng, values: readonly T[]): T | undefined {
  return values[rng.below(Math.max(1, values.length))];
}

export function describeReply(reply: Reply<unknown>): string {
  if (reply.kind !== 'error') return reply.kind;
  const { reason, metadata } = reply.error;
  return metadata['outcome'] === undefined ? reason : `${reason} (outcome ${metadata['outcome']})`;
}

/** Whether the answer says for certain that nothing was written. */
function isCertain(reply: Reply<unknown>): boolean {
  if (reply.kind === 'down') return true;
  if (reply.kind !== 'error') return false;
  const { reason, metadata }: OmenError = reply.error;
  return reason === 'STORAGE_FULL' || reason === 'WRITE_BACKPRESSURE' || metadata['outcome'] === 'none';
}

function drawIntent(rng: SeededRng, { settings, subjects }: World, stamp: string): Intent {
  const ids = (most: number): string[] => {
    const chosen = new Set<string>();
    for (let count = 1 + rng.below(most); count > 0; count--) chosen.add(`id-${rng.below(settings.ids)}`);
    return [...chosen];
  };
  const dice = subjects.length === 0 ? 0 : rng.below(100);
  if (dice < 55) {
    return { kind: 'upsert', records: ids(6).map((id) => ({ id, ...drawRecord(rng, stamp) })) };
  }
  if (dice < 75) return { kind: 'patch', ids: ids(4), rank: rng.below(100), stamp };
  if (dice < 90) return { kind: 'delete', ids: ids(4) };
  return { kind: 'deleteWhere', rankBelow: rng.below(25) };
}

function drawRecord(rng: SeededRng, stamp: string): ModelRecord {
  return {
    vector: drawVector(rng),
    color: COLORS[rng.below(COLORS.length)] ?? 'red',
    rank: rng.below(100),
    stamp,
  };
}

export function drawVector(rng: SeededRng): number[] {
  return Array.from({ length: 4 }, () => Math.fround(rng.unit() * 10 - 5));
}

async function send(
  { handlers }: App,
  context: RequestContext,
  collection: string,
  { stamp, intent, anonymous }: Operation,
): Promise<Acknowledged> {
  const requestId = anonymous ? '' : stamp;
  switch (intent.kind) {
    case 'upsert': {
      const records = columnsOf(
        intent.records.map(({ id, vector, ...rest }) => ({ id, vector, attributes: attributesOf(rest) })),
      );
      const receipt = await handlers.upsertRecords(context, { collection, records, requestId });
      return { receipt, answer: { inserted: receipt.inserted, updated: receipt.updated } };
    }
    case 'patch': {
      const attributes = new Map<string, bigint | string>([
        ['rank', BigInt(intent.rank)],
        ['stamp', intent.stamp],
      ]);
      const patches = intent.ids.map((id) => ({ id, attributes }));
      const receipt = await handlers.patchRecords(context, { collection, patches, requestId });
      return { receipt, answer: { patched: receipt.patched, missing: receipt.missingIds.length } };
    }
    case 'delete':
    case 'deleteWhere': {
      const what =
        intent.kind === 'delete' ? { ids: intent.ids } : { ids: [], filter: rankBelow(intent.rankBelow) };
      const receipt = await handlers.deleteRecords(context, { collection, requestId, ...what });
      return { receipt, answer: { deleted: receipt.deleted } };
    }
  }
}

function rankBelow(rank: number): Filter {
  return { kind: 'range', field: 'rank', operator: 'lt', value: BigInt(rank) };
}
