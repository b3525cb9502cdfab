// Exact nearest neighbours, computed by the plainest code there is: what answers of the server are compared
// with.

/**
 * The `k` rows of `base` with the largest inner product with each query, best first. `rows`: only these, all
 * by default.
 */
export function exactNeighbours(
  base: Float32Array,
  queries: readonly Float32Array[],
  k: number,
  rows?: Uint32Array,
): Uint32Array[] {
  return queries.map((query) => nearest(base, query, k, rows));
}

/** Mean share of the true neighbours that were found. */
export function recallOf(found: readonly (readonly number[])[], truth: readonly Uint32Array[]): number {
  let hits = 0;
  let all = 0;
  truth.forEach((want, index) => {
    const have = new Set(found[index]);
    all += want.length;
    for (const row of want) if (have.has(row)) hits++;
  });
  return all === 0 ? 1 : hits / all;
}

function nearest(base: Float32Array, query: Float32Array, k: number, rows?: Uint32Array): Uint32Array {
  const dimensions = query.length;
  const count = rows?.length ?? base.length / dimensions;
  const best: { row: number; score: number }[] = [];
  let worst = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const row = rows?.[at] ?? at;
    const score = dot(base, row * dimensions, query);
    if (best.length === k && score <= worst) continue;
    let place = best.length;
    while (place > 0 && (best[place - 1]?.score ?? 0) < score) place--;
    best.splice(place, 0, { row, score });
    if (best.length > k) best.pop();
    if (best.length === k) worst = best[k - 1]?.score ?? worst;
  }
  return Uint32Array.from(best, ({ row }) => row);
}

/** Four sums at a time, since each addition waits for the one before it. */
function dot(base: Float32Array, from: number, query: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = query.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += (base[from + i] as number) * (query[i] as number);
    b += (base[from + i + 1] as number) * (query[i + 1] as number);
    c += (base[from + i + 2] as number) * (query[i + 2] as number);
    d += (base[from + i + 3] as number) * (query[i + 3] as number);
  }
  for (let i = whole; i < query.length; i++) a += (base[from + i] as number) * (query[i] as number);
  return a + b + c + d;
}
