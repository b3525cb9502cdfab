// What the clients of a shop would send: mostly searches, some reads, writes, deletions, snapshots, and now
// and then a mistake. Vectors and choices follow from a seed.
import { OmenClient } from '#sdk/index.js';
import type { Collection } from '#sdk/index.js';
import { grpcTransport } from '#sdk/grpc.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { ServerProcess } from '../support/server-process.js';
import { pause } from './conditions.js';

const DIMENSIONS = 64;
const COLOURS = ['red', 'green', 'blue', 'black', 'white'];
const BATCH = 500;

interface Product {
  colour: string;
  price: number;
}

export interface TrafficOptions {
  /** Records that are there before the traffic begins. Default 4000. */
  readonly records?: number;
  /** Searches per second at a moment, in seconds since the traffic began. Default 40 at any time. */
  readonly searchesPerSecond?: (seconds: number) => number;
}

export interface Traffic {
  /** Ends all loops and closes the clients. */
  stop(): Promise<void>;
}

/** Loads records and returns when they are there; then sends requests until it is stopped. */
export async function startTraffic(server: ServerProcess, options: TrafficOptions = {}): Promise<Traffic> {
  const { records = 4000, searchesPerSecond = () => 40 } = options;
  const rng = new SeededRng(7);
  const http = new OmenClient({ endpoint: server.url, token: server.token, retry: false });
  const grpc = new OmenClient({
    endpoint: server.grpcAddress,
    token: server.token,
    transport: grpcTransport(),
    retry: false,
  });
  const stranger = new OmenClient({ endpoint: server.url, token: 'nobody.knows.me', retry: false });
  await http.collections.create({ name: 'products', dimensions: DIMENSIONS });
  await http.collections.create({ name: 'reviews', dimensions: DIMENSIONS, metric: 'l2' });
  const products = http.collection<Product>('products');
  for (let from = 0; from < records; from += BATCH) await upsert(products, from, BATCH, rng);
  await upsert(http.collection<Product>('reviews'), 0, BATCH, rng);

  const began = Date.now();
  let isOver = false;
  const loop = async (perSecond: (seconds: number) => number, work: (turn: number) => Promise<unknown>) => {
    for (let turn = 0; !isOver; turn++) {
      // Servers are killed and disks filled under this load: who looks at it reads the metrics.
      await work(turn).catch(() => undefined);
      await pause(1000 / Math.max(0.2, perSecond((Date.now() - began) / 1000)));
    }
  };
  const search = (client: OmenClient) => async (turn: number) => {
    const where = client.collection<Product>(turn % 5 === 0 ? 'reviews' : 'products');
    const filter = turn % 3 === 0 ? { filter: { colour: COLOURS[turn % COLOURS.length] ?? '' } } : {};
    await where.query({ vector: vector(rng), topK: 10, ...filter });
  };
  const any = (): number => rng.below(records);
  const loops = [
    loop((now) => searchesPerSecond(now) * 0.6, search(http)),
    loop((now) => searchesPerSecond(now) * 0.4, search(grpc)),
    loop(
      () => 8,
      () => products.getMany([`p${any()}`, `p${any()}`]),
    ),
    loop(
      () => 2,
      () => products.count({ filter: { price: { $lt: 100 } } }),
    ),
    loop(
      () => 1,
      () => products.scan({ pageSize: 200 }).pages().next(),
    ),
    loop(
      (now) => searchesPerSecond(now) / 20,
      () => upsert(products, any(), 20, rng),
    ),
    loop(
      () => 2,
      () => products.patch([{ id: `p${any()}`, attributes: { price: Math.round(rng.unit() * 500) } }]),
    ),
    loop(
      () => 1,
      () => products.delete({ ids: [`p${any()}`, `p${any()}`] }),
    ),
    loop(
      () => 0.5,
      (turn) => mistake(turn, http, stranger, rng),
    ),
    loop(
      () => 0.3,
      (turn) => errand(turn, http, products),
    ),
  ];
  return {
    async stop() {
      isOver = true;
      await Promise.all(loops);
      await Promise.all([http, grpc, stranger].map((client) => client.close()));
    },
  };
}

/** What clients do wrong, in turn. */
async function mistake(turn: number, http: OmenClient, stranger: OmenClient, rng: SeededRng): Promise<void> {
  const wrong = [
    () => http.collection('products').query({ vector: [1, 2, 3] }),
    () => http.collection('nowhere').query({ vector: vector(rng) }),
    () => stranger.collection('products').count(),
  ];
  await wrong[turn % wrong.length]?.();
}

/** What is done now and then. */
async function errand(turn: number, http: OmenClient, products: Collection<Product>): Promise<void> {
  const errands = [
    () => products.snapshots.create(`s${turn}`),
    () => http.collections.list({ pageSize: 10 }).pages().next(),
    () => products.stats(),
    () => http.collections.branch('products', `branch-${turn}`),
  ];
  await errands[turn % errands.length]?.();
}

async function upsert(
  where: Collection<Product>,
  from: number,
  count: number,
  rng: SeededRng,
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  await where.upsert(
    numbers.map((number) => ({
      id: `p${number}`,
      vector: vector(rng),
      attributes: { colour: COLOURS[number % COLOURS.length] ?? '', price: number % 500 },
    })),
  );
}

/** A random direction. */
export function vector(rng: SeededRng, dimensions = DIMENSIONS): Float32Array {
  return Float32Array.from({ length: dimensions }, () => rng.unit() - 0.5);
}
