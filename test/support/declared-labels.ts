// Whether what is exposed has the labels and values that the catalogue declares.
import { CATALOG, RUNTIME_FAMILIES } from '#server/core/metrics/catalog.js';
import type { Family, LabelValues } from '#server/core/metrics/families.js';
import type { ExposedFamily } from './openmetrics.js';

/** Labels and values of a family that nobody declared, and those that are missing, a line each. */
export function undeclaredIn({ name, samples }: ExposedFamily): string[] {
  const labelled = Object.keys(RUNTIME_FAMILIES).includes(name)
    ? new Map(runtimeLabels(name).map((label): [string, null] => [label, null]))
    : new Map(Object.entries<LabelValues>((CATALOG as Record<string, Family>)[name]?.labels ?? {}));
  return samples.flatMap((sample) => {
    const shown = Object.entries(sample.labels).filter(([label]) => label !== 'le');
    const wrong = shown.filter(([label, value]) => !allows(labelled.get(label), value));
    const missing = [...labelled.keys()].filter((label) => sample.labels[label] === undefined);
    return [
      ...wrong.map(([label, value]) => `${sample.name}: ${label}="${value}" is not declared`),
      ...missing.map((label) => `${sample.name}: ${label} is missing`),
    ];
  });
}

function runtimeLabels(name: string): readonly string[] {
  const [, ...labels] = (RUNTIME_FAMILIES as Readonly<Record<string, readonly string[]>>)[name] ?? [];
  return labels;
}

/** Null: any value; undefined: the label is not declared at all. */
function allows(values: LabelValues | null | undefined, value: string): boolean {
  if (values === undefined) return false;
  return values === null || 'kind' in values || values.includes(value);
}
