// Filters on all three tiers: few and many matching records, at random and where the query looks for them
// (of its own part of speech or category) or far from there (of another category).
import type { AnyAttributes, Filter } from '#sdk/index.js';
import type { BenchContext, Cell, Goal } from './report.js';
import { askCold, hotNode, upTo, warmNode } from './tiers-latency.js';
import type { Answer } from './tiers-measure.js';
import { askMany, summarize } from './tiers-measure.js';
import type { Subject, TierSet } from './tiers-sets.js';
import { K, NO_SUBJECT, ONE_OF, isOneOf } from './tiers-sets.js';
import type { Part, Target } from './tiers-table.js';
import { RECALL_WANTED, round, verdictOf } from './tiers-table.js';
import type { TierNode, TierWorld } from './tiers-world.js';
import { exactNeighbours } from './truth.js';

const CATEGORIES = 45;
/** So many further on in the list of categories is another part of speech. */
const CATEGORIES_AWAY = 22;

const COLUMNS = [
  ...['filter', 'tier', 'n', 'matching %', 'hot/warm/cold', 'recall@10', 'short', 'partial'],
  ...['p50 ms', 'engine p50 ms', 'GETs', 'KiB from S3', 'verdict'],
];

/** One kind of filter, for each query one of its own. */
interface FilterKind {
  readonly name: string;
  filter(query: number): Filter<AnyAttributes>;
  /** Whether a row passes it. */
  passes(query: number, row: number): boolean;
}

/** Nothing without the text set, which alone has attributes. */
export async function filtersPart(
  world: TierWorld,
  set: TierSet | undefined,
  context: BenchContext,
): Promise<Part> {
  if (set === undefined) return { tables: [], goals: [] };
  await world.load(set);
  const [many, few] = context.quick ? [40, 5] : [300, 20];
  const queries = upTo(many, set);
  const kinds = kindsOf(set).map((kind) => withTruth(set, kind, queries));
  const rows: (readonly Cell[])[] = [];
  const goals: Goal[] = [];
  const add = (tier: string, kind: KnownKind, answers: readonly Answer[]): void => {
    const made = filterRow(tier, kind, answers);
    rows.push(made.row);
    goals.push(made.goal);
  };
  const notes: string[] = [];
  const ask = (node: TierNode, kind: KnownKind, which: readonly number[]): Promise<Answer[]> =>
    askMany(node, set, which, (query) => ({ filter: kind.filter(query) }));
  for (const tier of ['hot', 'warm'] as const) {
    context.progress(`filters, ${tier}`);
    const warm = tier === 'hot' ? undefined : await warmNode(world, set, queries, context);
    const node = warm?.node ?? (await hotNode(world, set, queries));
    if (warm?.note !== undefined) notes.push(warm.note);
    for (const kind of kinds) {
      // The first time it reads what the filter needs, the second time it takes it into its memory.
      if (tier === 'hot') for (let round = 0; round < 2; round++) await ask(node, kind, queries);
      add(tier, kind, await ask(node, kind, queries));
    }
    await node.stop();
  }
  context.progress('filters, cold');
  for (const [at, kind] of kinds.entries()) {
    const some = queries.slice(at * few, (at + 1) * few);
    const { answers } = await askCold(world, set, some, (query) => ({ filter: kind.filter(query) }));
    add('cold', kind, answers);
  }
  const title = `Filters on ${set.title}: recall ≥ ${RECALL_WANTED} or partial, and no hit missing`;
  const known =
    'recall: of answers that are not partial; short: fewer hits than there are, not said to be partial';
  return { tables: [{ title, columns: COLUMNS, rows, notes: [known, ...notes] }], goals };
}

interface KnownKind extends FilterKind {
  readonly truth: readonly Uint32Array[];
  /** Mean share of the rows that pass. */
  readonly share: number;
}

function kindsOf(set: TierSet): FilterKind[] {
  const { subjects = [], subjectOf } = set;
  const asked = (query: number): Subject => subjects[query] ?? NO_SUBJECT;
  const found = (row: number): Subject => subjectOf?.(row) ?? NO_SUBJECT;
  const away = (query: number): number => (asked(query).category + CATEGORIES_AWAY) % CATEGORIES;
  const random = ONE_OF.map((oneOf): FilterKind => ({
    name: `${100 / oneOf} % at random`,
    filter: () => ({ [`oneOf${oneOf}`]: true }),
    passes: (_, row) => isOneOf(row, oneOf),
  }));
  return [
    ...random,
    {
      name: 'its own part of speech',
      filter: (query) => ({ pos: asked(query).pos }),
      passes: (query, row) => found(row).pos === asked(query).pos,
    },
    {
      name: 'its own category',
      filter: (query) => ({ category: asked(query).category }),
      passes: (query, row) => found(row).category === asked(query).category,
    },
    {
      name: 'another category',
      filter: (query) => ({ category: away(query) }),
      passes: (query, row) => found(row).category === away(query),
    },
  ];
}

function withTruth(set: TierSet, kind: FilterKind, queries: readonly number[]): KnownKind {
  let matching = 0;
  const all = Uint32Array.from({ length: set.count }, (_, row) => row);
  const truth = queries.map((query) => {
    const rows = all.filter((row) => kind.passes(query, row));
    matching += rows.length;
    const vector = set.queries[query] ?? new Float32Array(set.dimensions);
    return exactNeighbours(set.base, [vector], K, rows)[0] ?? new Uint32Array();
  });
  return { ...kind, truth, share: matching / set.count / queries.length };
}

function filterRow(
  tier: string,
  kind: KnownKind,
  answers: readonly Answer[],
): { readonly row: readonly Cell[]; readonly goal: Goal } {
  const summary = summarize(answers, kind.truth);
  const { hot, warm, cold } = summary.tiers;
  const targets: Target[] = [
    // Nothing but partial answers is nothing to complain of here.
    { name: 'recall', least: RECALL_WANTED, got: summary.partial === summary.queries ? 1 : summary.recall },
    { name: 'hits not said to be missing', most: 0, got: summary.short },
    { name: 'refused', most: 0, got: summary.refused },
  ];
  const got = `recall ${round(summary.recall, 4)}, ${summary.short} short, ${summary.partial} partial`;
  const goal: Goal = {
    what: `filter, ${kind.name}, ${tier}`,
    want: `recall ≥ ${RECALL_WANTED} or partial`,
    got: summary.refused === 0 ? got : `refused: ${summary.refusal}`,
    met: verdictOf(targets) === 'met',
  };
  return {
    row: [
      ...[kind.name, tier, summary.queries, round(kind.share * 100, 2), `${hot}/${warm}/${cold}`],
      ...[round(summary.recall, 4), summary.short, summary.partial],
      ...[round(summary.p50Ms, 2), round(summary.engineP50Ms, 3), round(summary.gets, 1)],
      ...[Math.round(summary.bytes / 1024), verdictOf(targets)],
    ],
    goal,
  };
}
