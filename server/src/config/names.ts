/*
 * Names of environment variables: those that Kubernetes sets for Services, and those that were probably
 * meant.
 */

/**
 * Whether Kubernetes sets such a variable in every pod beside a Service whose name begins with `omendb`:
 * `OMENDB_SERVER_SERVICE_HOST`, `OMENDB_SERVER_PORT_8080_TCP_ADDR`, `OMENDB_SERVER_PORT=tcp://…` and the
 * like.
 */
export function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}

/** The Service whose link `OMENDB_…_PORT` is. */
export function serviceOf(name: string): string {
  return name
    .replace(/_PORT$/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

/** The known name that needs the fewest changes to become `name`, if that is at most a third of it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.floor(name.replace(/^OMENDB_/, '').length / 3) + 1;
  for (const candidate of known) {
    const changes = editDistance(name, candidate);
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

/** Levenshtein's distance, by rows. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
