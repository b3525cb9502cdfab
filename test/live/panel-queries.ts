// Every query of every panel, sent as Grafana would send it.
import { panelsOf } from '#preview/board.js';
import type { Board, Panel, Target } from '#preview/board.js';
import type { Scene } from '#preview/frames.js';
import { substitute } from '#preview/variables.js';
import type { Prometheus, Series } from './prometheus.js';

/**
 * What is wrong with the answers, one line each; empty when all have data and the labels of their legends.
 */
export async function problemsOf(board: Board, prometheus: Prometheus, scene: Scene): Promise<string[]> {
  const problems: string[] = [];
  for (const panel of panelsOf(board)) {
    for (const target of panel.targets ?? []) {
      const problem = await problemOf(board, target, prometheus, scene);
      if (problem !== undefined) problems.push(`${board.uid}: ${nameOf(panel, target)}: ${problem}`);
    }
  }
  return problems;
}

async function problemOf(
  board: Board,
  target: Target,
  prometheus: Prometheus,
  scene: Scene,
): Promise<string | undefined> {
  const query = substitute(target.expr ?? '', board, scene);
  if (query === '') return 'there is no query';
  let series: readonly Series[];
  try {
    series = await prometheus.queryRange(query, scene);
  } catch (error) {
    return (error as Error).message;
  }
  const filled = series.filter(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));
  if (filled.length === 0) return `no data: ${query}`;
  const labels = [...(target.legendFormat ?? '').matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(
    ([, label]) => label ?? '',
  );
  const missing = labels.filter((label) => !filled.some(({ metric }) => metric[label] !== undefined));
  return missing.length === 0 ? undefined : `no label ${missing.join(', ')}: ${query}`;
}

function nameOf(panel: Panel, target: Target): string {
  return `${panel.title ?? ''} ${target.refId ?? ''}`;
}
