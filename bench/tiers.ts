// Tiers: what a query costs when its data is in memory, on local disk, or in object storage only, on a real
// S3 server behind the latency of S3. `--part` chooses among the parts, `--quick` takes small sets.
import type { BenchContext, Report } from './report.js';
import { filtersPart } from './tiers-filters.js';
import { budgetPart } from './tiers-budget.js';
import { churnPart } from './tiers-churn.js';
import { growthPart } from './tiers-growth.js';
import { coldPart, hotPart, warmPart } from './tiers-latency.js';
import type { TierSet } from './tiers-sets.js';
import { gloveSet, syntheticSet, textSet } from './tiers-sets.js';
import type { Part } from './tiers-table.js';
import { rivalPart } from './tiers-text.js';
import { TierWorld } from './tiers-world.js';

/** Everything that a part is given. */
interface Measuring {
  readonly world: TierWorld;
  readonly context: BenchContext;
  /** From small to large. */
  readonly sets: readonly TierSet[];
}

const PARTS: Readonly<Record<string, (measuring: Measuring) => Promise<Part>>> = {
  cold: ({ world, sets, context }) => coldPart(world, sets, context),
  warm: ({ world, sets, context }) => warmPart(world, sets, context),
  hot: ({ world, sets, context }) => hotPart(world, sets, context),
  rival: ({ sets, context }) => Promise.resolve(rivalPart(textOf(sets), context)),
  filters: ({ world, sets, context }) => filtersPart(world, textOf(sets), context),
  budget: ({ world, sets, context }) => budgetPart(world, sets, context),
  growth: ({ world, sets, context }) => growthPart(world, sets, context),
  churn: ({ context }) => churnPart(context),
};

/** The goals of tiers. Needs the programs that `npm run test:s3` builds. */
export async function tiersSuite(context: BenchContext): Promise<Report> {
  const unknown = context.parts.filter((part) => PARTS[part] === undefined);
  if (unknown.length > 0) {
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  }
  const names = context.parts.length > 0 ? context.parts : Object.keys(PARTS);
  const sets = setsOf(context);
  const world = await TierWorld.open(context);
  const parts: Part[] = [];
  try {
    for (const name of names) {
      context.progress(`part ${name}`);
      const part = await PARTS[name]?.({ world, context, sets });
      if (part !== undefined) parts.push(part);
    }
  } finally {
    await world.close();
  }
  return { tables: parts.flatMap(({ tables }) => tables), goals: parts.flatMap(({ goals }) => goals) };
}

function textOf(sets: readonly TierSet[]): TierSet | undefined {
  return sets.find(({ name }) => name === 'text');
}

function setsOf(context: BenchContext): TierSet[] {
  const text = textSet(context);
  const texts = text === undefined ? [] : [text];
  if (context.quick) return [...texts, syntheticSet(100_000, 300)];
  return [...texts, gloveSet(context, Infinity), syntheticSet(1_000_000, 500)];
}
