// `npm run demo`: starts a server of its own, loads the GloVe word vectors through the client and searches
// them, in front of a person. `--limit N` loads fewer, `--keep` leaves the server running until Ctrl-C.
// Nothing stays behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OmenClient } from '#sdk/index.js';
import type { Collection, Filter } from '#sdk/index.js';
import { startServer } from '#support/server-process.js';
import type { ServerProcess } from '#support/server-process.js';
import { untilIndexed } from './network.js';
import { percentile } from './report.js';
import { ProgressBar, bold, dim, grouped, say, title } from './screen.js';
import { exactNeighbours, recallOf } from './truth.js';
import { frequentWords } from './words.js';
import type { Words } from './words.js';

const K = 10;
const QUERIES = 100;
const NEAREST_TO = ['piano', 'paris', 'volcano', 'justice', 'python'];

interface WordAttributes {
  /** 1 is the most frequent word. */
  readonly rank: number;
  readonly letters: number;
}

type WordCollection = Collection<WordAttributes>;

const { values } = parseArgs({
  options: { limit: { type: 'string' }, keep: { type: 'boolean', default: false } },
});
const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit);
if (!(limit >= 1000)) throw new RangeError(`--limit is ${values.limit}: it must be a number from 1000`);

const dataDir = mkdtempSync(join(tmpdir(), 'omendb-demo-'));
let server: ServerProcess | undefined;
process.once('SIGINT', () => void leave(130));
process.once('SIGTERM', () => void leave(143));
try {
  await demonstrate();
  await leave(0);
} catch (error) {
  // A request cut off by Ctrl-C is no failure.
  if (process.exitCode === undefined) {
    process.stderr.write(`\n${(error as Error).stack ?? String(error)}\n`);
    await leave(1);
  }
}

async function demonstrate(): Promise<void> {
  title('OmenDB: a vector database on one folder');
  server = await startServer({ dataDir, env: { OMENDB_LOG_LEVEL: 'warn' } });
  say('server', `${server.url}  ${dim(`data in ${dataDir}`)}`);
  const words = frequentWords({ base: limit, context: { progress: (text) => say('words', text) } });
  const client = new OmenClient({ endpoint: server.url, token: server.token });
  const collection = await fill(client, words);
  title('Nearest words');
  for (const word of NEAREST_TO) await showNearest(collection, words, word);
  title('Nearest words that pass a filter');
  await showNearest(
    collection,
    words,
    'quantum',
    { rank: { $lte: 2000 } },
    'among the 2 000 most frequent words',
  );
  await showNearest(collection, words, 'happy', { $id: { $prefix: 'un' } }, 'beginning with "un"');
  await showNearest(collection, words, 'music', { letters: { $gte: 12 } }, 'of 12 letters or more');
  title('Against exact search');
  await compare(collection, words);
  if (values.keep) await stay(server);
  await client.close();
}

async function fill(client: OmenClient, words: Words): Promise<WordCollection> {
  const collection = await client.collections.create<WordAttributes>({
    name: 'words',
    dimensions: words.dimensions,
    metric: 'cosine',
  });
  const bar = new ProgressBar('loading', words.count);
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
  await collection.bulk(records(words), { onProgress: ({ written }) => bar.update(written) });
  bar.end(`${bold(grouped(words.count))} vectors are durable after ${bold(`${seconds()} s`)}`);
  await untilIndexed(client, 'words');
  say('index', `all of them are indexed after ${bold(`${seconds()} s`)}`);
  return collection;
}

function* records(words: Words): Generator<{ id: string; vector: Float32Array; attributes: WordAttributes }> {
  for (let row = 0; row < words.count; row++) {
    const id = words.word(row);
    yield { id, vector: words.vector(row), attributes: { rank: row + 1, letters: id.length } };
  }
}

async function showNearest(
  collection: WordCollection,
  words: Words,
  word: string,
  filter?: Filter<WordAttributes>,
  condition = '',
): Promise<void> {
  const row = words.row(word);
  if (row < 0) return;
  const started = performance.now();
  const { hits } = await collection.query({ vector: words.vector(row), topK: 7, filter });
  const ms = performance.now() - started;
  const others = hits.filter((hit) => hit.id !== word).slice(0, 5);
  const list = others.map((hit) => `${hit.id} ${dim(hit.score.toFixed(2))}`).join('  ');
  if (condition !== '') say(word, dim(condition));
  say(condition === '' ? word : '', `${list}  ${dim(`${ms.toFixed(1)} ms`)}`);
}

/** Recall and latency of the server beside the plainest exact search, in this process. */
async function compare(collection: WordCollection, words: Words): Promise<void> {
  const rows = Array.from({ length: QUERIES }, (_, at) =>
    Math.floor(((at + 0.5) * Math.min(words.count, 50_000)) / QUERIES),
  );
  const queries = rows.map((row) => words.vector(row));
  const exactStarted = performance.now();
  const truth = exactNeighbours(words.base, queries, K);
  const exactMs = (performance.now() - exactStarted) / QUERIES;
  const client: number[] = [];
  const engine: number[] = [];
  const found: number[][] = [];
  for (const vector of queries) {
    const started = performance.now();
    const { hits, performance: parts } = await collection.query({ vector, topK: K });
    client.push(performance.now() - started);
    engine.push(parts?.engineMs ?? Number.NaN);
    found.push(hits.map((hit) => words.row(hit.id)));
  }
  const exactOnServer: number[] = [];
  for (const vector of queries.slice(0, 20)) {
    const started = performance.now();
    await collection.query({ vector, topK: K, exact: true });
    exactOnServer.push(performance.now() - started);
  }
  say(
    'recall',
    `${bold(recallOf(found, truth).toFixed(3))} of the true ${K} nearest, over ${QUERIES} queries`,
  );
  say(
    'query',
    `${bold(`${median(client)} ms`)} median at the client, ${median(engine)} ms of it in the engine`,
  );
  say(
    'exact',
    `${median(exactOnServer)} ms median with exact: true; ${exactMs.toFixed(1)} ms by a loop in this process`,
  );
}

function median(values: readonly number[]): string {
  return percentile(Float64Array.from(values).sort(), 0.5).toFixed(2);
}

async function stay({ url, token }: ServerProcess): Promise<void> {
  title('Your turn (Ctrl-C ends it)');
  say('', `export TOKEN=${token}`);
  say('', `curl -s ${url}/v1/collections/words/records/piano -H "Authorization: Bearer $TOKEN"`);
  await new Promise(() => void setInterval(() => undefined, 60_000));
}

/** Stops the server, removes its data, ends the process. */
async function leave(code: number): Promise<void> {
  process.exitCode = code;
  process.stdout.write('\n');
  await server?.stop();
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(code);
}
