// Searches at a fixed rate, whatever the answers take, and says what clients would see. Needs nothing but
// Node 20: `TOKEN=… node load-test.mjs --url http://127.0.0.1:8080 --rate 200 --seconds 60`.
// Ends with exit code 1 when a request failed, when P99 is above --p99-ms, or when the rate was not reached.
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    records: { type: 'string', default: '10000' },
    dimensions: { type: 'string', default: '128' },
    'top-k': { type: 'string', default: '10' },
    'p99-ms': { type: 'string', default: '50' },
    collection: { type: 'string', default: 'load-test' },
    // The collection stays, for the next run.
    keep: { type: 'boolean', default: false },
  },
});
const { url, collection } = values;
const [rate, seconds, records, dimensions, topK, p99Ms] = [
  ...[values.rate, values.seconds, values.records, values.dimensions, values['top-k'], values['p99-ms']],
].map(Number);

async function call(path, body, method = 'POST') {
  const response = await fetch(`${url}/v1/collections${path}`, {
    method,
    headers: { authorization: `Bearer ${process.env.TOKEN}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`status ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

const vector = () => Array.from({ length: dimensions }, () => Math.round(Math.random() * 2000 - 1000) / 1000);

async function fill() {
  const exists = await call(`/${collection}/records:count`, {}).then(
    ({ count }) => count,
    () => undefined,
  );
  if (exists === undefined) await call('', { name: collection, dimensions, metric: 'cosine' });
  const began = performance.now();
  for (let from = exists ?? 0; from < records; from += 500) {
    const batch = Array.from({ length: Math.min(500, records - from) }, (_, index) => index + from);
    const body = { records: batch.map((id) => ({ id: `r${id}`, vector: vector() })) };
    await call(`/${collection}/records:upsert`, body);
  }
  console.log(`${records} records after ${Math.round(performance.now() - began)} ms`);
}

/** From when a request was due, not from when it was sent: a server that stalls cannot hide it. */
async function search() {
  const bodies = Array.from({ length: 256 }, () => ({ vector: vector(), topK }));
  const [times, failures, open] = [[], new Map(), new Set()];
  const began = performance.now();
  for (let number = 0; number < rate * seconds; number++) {
    const dueAt = began + (number * 1000) / rate;
    const early = dueAt - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    const one = call(`/${collection}/records:query`, bodies[number % bodies.length]).then(
      () => void times.push(performance.now() - dueAt),
      (error) => void failures.set(error.message, (failures.get(error.message) ?? 0) + 1),
    );
    open.add(one);
    void one.then(() => open.delete(one));
  }
  const tookMs = performance.now() - began;
  await Promise.all(open);
  return { times: times.sort((a, b) => a - b), failures, reached: (rate * seconds * 1000) / tookMs };
}

await fill();
const { times, failures, reached } = await search();
if (!values.keep) await call(`/${collection}`, undefined, 'DELETE');
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Infinity;
const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
console.log(`asked ${times.length + failed} at ${reached.toFixed(1)}/s, failed ${failed}`);
console.log([0.5, 0.95, 0.99, 1].map((share) => `p${share * 100} ${at(share).toFixed(1)} ms`).join(', '));
for (const [message, count] of failures) console.log(`${count} × ${message}`);
const problems = [
  failed > 0 && `${failed} failed`,
  at(0.99) > p99Ms && `P99 is above ${p99Ms} ms`,
  reached < rate * 0.95 && `only ${reached.toFixed(1)} a second were sent: use more machines`,
].filter(Boolean);
console.log(problems.length === 0 ? 'PASSED' : `FAILED: ${problems.join('; ')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
