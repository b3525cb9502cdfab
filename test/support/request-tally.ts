// What clients saw of their requests, to be compared with what the server counted.
import type { ErrorReason } from '#server/core/errors.js';
import { ERROR_TABLE } from '#server/core/errors.js';
import type { ExposedFamily } from './openmetrics.js';
import { keyOf, sumOf } from './openmetrics.js';

type Families = ReadonlyMap<string, ExposedFamily>;
export type Protocol = 'grpc' | 'http';

const COUNTED = ['omendb_requests_total', 'omendb_errors_total'] as const;

/** Requests by what came of them. */
export class RequestTally {
  readonly #expected = new Map<string, number>();
  /** Every outcome that was seen. */
  readonly outcomes = new Set<ErrorReason | 'OK'>();
  requests = 0;

  /** @param reason `OK` for a success. @param method In camel case; undefined for what is none. */
  saw(protocol: Protocol, method: string | undefined, reason: ErrorReason | 'OK'): void {
    this.requests++;
    this.outcomes.add(reason);
    const operation = method === undefined ? 'unknown' : snakeCase(method);
    if (reason === 'OK') {
      this.#add('omendb_requests_total', { protocol, operation, code: 'OK' });
      return;
    }
    const { grpc: code, type, fault } = ERROR_TABLE[reason];
    this.#add('omendb_requests_total', { protocol, operation, code });
    this.#add('omendb_errors_total', { type, fault });
  }

  /** Every difference between this and what was counted between two scrapes, a line each. */
  differences(before: Families, after: Families): string[] {
    const counted = new Map<string, number>();
    for (const name of COUNTED) {
      for (const { labels, value } of after.get(name)?.samples ?? []) {
        const grown = value - sumOf(before, name, labels);
        if (grown !== 0) counted.set(`${name}{${keyOf(labels)}}`, grown);
      }
    }
    return [...new Set([...this.#expected.keys(), ...counted.keys()])].sort().flatMap((series) => {
      const [saw, says] = [this.#expected.get(series) ?? 0, counted.get(series) ?? 0];
      return saw === says ? [] : [`${series}: clients saw ${saw}, the server counted ${says}`];
    });
  }

  #add(name: string, labels: Readonly<Record<string, string>>): void {
    const series = `${name}{${keyOf(labels)}}`;
    this.#expected.set(series, (this.#expected.get(series) ?? 0) + 1);
  }
}

/** The name of an operation in metrics. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`);
}
