// Tiers: what a query costs when its data is in memory, on local disk, or in object storage only, on a real
// S3 server behind the latency of S3. `--part` chooses among the parts, `--quick` takes small sets.
import type { BenchContext, Report } from './report.js';
import { budgetPart } from './tiers-budget.js';
import { churnPart } from './tiers-churn.js';
import { filtersPart } from './tiers-filters.js';
import { growthPart } from './tiers-growth.js';
import { coldPart, hotPart, warmPart } from './tiers-latency.js';
import type { TierSet } from './tiers-sets.js';
import { gloveSet, syntheticSet, textSet } from './tiers-sets.js';
import type { Part } from './tiers-table.js';
import { rivalPart } from './tiers-text.js';
import { TierWorld } from './tiers-world.js';

/** What parts share: made when the first of them asks for it. */
interface Measuring {
  readonly context: BenchContext;
  world(): Promise<TierWorld>;
  /** Undefined when its files are not there. */
  text(): TierSet | undefined;
  sets(): readonly TierSet[];
}

const PARTS: Readonly<Record<string, (shared: Measuring) => Promise<Part>>> = {
  cold: async ({ world, sets, context }) => coldPart(await world(), sets(), context),
  warm: async ({ world, sets, context }) => warmPart(await world(), sets(), context),
  hot: async ({ world, sets, context }) => hotPart(await world(), sets(), context),
  rival: ({ text, context }) => Promise.resolve(rivalPart(text(), context)),
  filters: async ({ world, text, context }) => filtersPart(await world(), text(), context),
  budget: async ({ world, context }) => budgetPart(await world(), context),
  growth: async ({ world, context }) => growthPart(await world(), context),
  churn: ({ context }) => churnPart(context),
};

/** The goals of tiers. Needs the programs that `npm run test:s3` builds. */
export async function tiersSuite(context: BenchContext): Promise<Report> {
  const unknown = context.parts.filter((part) => PARTS[part] === undefined);
  if (unknown.length > 0) {
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  }
  const names = context.parts.length > 0 ? context.parts : Object.keys(PARTS);
  let world: Promise<TierWorld> | undefined;
  const text = once(() => textSet(context));
  const shared: Measuring = {
    ...{ context, text },
    world: () => (world ??= TierWorld.open(context)),
    sets: once(() => setsOf(context, text())),
  };
  const parts: Part[] = [];
  try {
    for (const name of names) {
      context.progress(`part ${name}`);
      const part = await PARTS[name]?.(shared);
      if (part !== undefined) parts.push(part);
    }
  } finally {
    await (await world)?.close();
  }
  return { tables: parts.flatMap(({ tables }) => tables), goals: parts.flatMap(({ goals }) => goals) };
}

function setsOf(context: BenchContext, text: TierSet | undefined): TierSet[] {
  const texts = text === undefined ? [] : [text];
  if (context.quick) return [...texts, syntheticSet(100_000)];
  return [...texts, gloveSet(context), syntheticSet(1_000_000)];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
