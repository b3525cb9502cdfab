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
const NOTES = 'notes';
/** Collections that are asked one after the other, each for the first time since the server began. */
const ARCHIVES = 60;

interface Product {
  colour: string;
  price: number;
}

export interface TrafficOptions {
  /** Products that are there before the traffic begins. Default 4000. */
  readonly products?: number;
  /** Tokens of other tenants, who keep notes: the later in the list, the fewer. */
  readonly guests?: readonly string[];
  /** Searches per second at a moment, in seconds since the traffic began. Default 30 at any time. */
  readonly searchesPerSecond?: (seconds: number) => number;
  /**
   * Whether a report is made that compares every record, in seconds since the traffic began. Default: never.
   */
  readonly isReportTime?: (seconds: number) => boolean;
}

export interface Traffic {
  /** Ends all loops and closes the clients. */
  stop(): Promise<void>;
}

/** Makes the collections of the shop and fills them. */
export async function loadShop(server: ServerProcess, options: TrafficOptions): Promise<void> {
  const { products = 4000, guests = [] } = options;
  const rng = new SeededRng(1);
  const client = new OmenClient({ endpoint: server.url, token: server.token });
  await client.collections.create({ name: 'products', dimensions: DIMENSIONS });
  await client.collections.create({ name: 'reviews', dimensions: DIMENSIONS, metric: 'l2' });
  for (let from = 0; from < products; from += BATCH) {
    await upsert(client.collection<Product>('products'), from, BATCH, rng);
  }
  await upsert(client.collection<Product>('reviews'), 0, BATCH, rng);
  for (let year = 0; year < ARCHIVES; year++) {
    const { name } = await client.collections.create({ name: `archive-${year}`, dimensions: DIMENSIONS });
    await upsert(client.collection<Product>(name), 0, 50, rng);
  }
  await client.close();
  for (const [i, token] of guests.entries()) {
    const guest = new OmenClient({ endpoint: server.url, token });
    await guest.collections.create({ name: NOTES, dimensions: DIMENSIONS });
    await upsert(guest.collection<Product>(NOTES), 0, Math.ceil(2000 / 4 ** i), rng);
    await guest.close();
  }
}

/** Sends requests to a shop that was loaded, until it is stopped. */
export function startTraffic(server: ServerProcess, options: TrafficOptions = {}): Traffic {
  const { products: stock = 4000, searchesPerSecond = () => 30, isReportTime = () => false } = options;
  const rng = new SeededRng(2);
  const { token } = server;
  const http = new OmenClient({ endpoint: server.url, token, retry: false });
  const grpc = new OmenClient({
    endpoint: server.grpcAddress,
    token,
    transport: grpcTransport(),
    retry: false,
  });
  const stranger = new OmenClient({ endpoint: server.url, token: 'nobody.knows.me', retry: false });
  const guests = (options.guests ?? []).map((each) => new OmenClient({ endpoint: server.url, token: each }));
  const products = http.collection<Product>('products');
  const began = Date.now();
  let isOver = false;
  const loop = async (perSecond: number | ((seconds: number) => number), work: (turn: number) => unknown) => {
    for (let turn = 0; !isOver; turn++) {
      try {
        await work(turn);
      } catch {
        // Some of the requests are wrong on purpose; who looks at the traffic reads the metrics.
      }
      const rate = typeof perSecond === 'number' ? perSecond : perSecond((Date.now() - began) / 1000);
      await pause(1000 / Math.max(0.2, rate));
    }
  };
  const search = (client: OmenClient) => async (turn: number) => {
    const where = client.collection<Product>(turn % 5 === 0 ? 'reviews' : 'products');
    const filter = turn % 3 === 0 ? { filter: { colour: COLOURS[turn % COLOURS.length] ?? '' } } : {};
    await where.query({ vector: vector(rng), topK: 10, ...filter });
  };
  const report = async (): Promise<void> => {
    if (!isReportTime((Date.now() - began) / 1000)) return;
    const exact = () => products.query({ vector: vector(rng), topK: 1000, exact: true });
    await Promise.all(Array.from({ length: 24 }, exact));
  };
  const any = (): number => rng.below(stock);
  const price = (): { price: number } => ({ price: rng.below(500) });
  const loops = [
    loop((now) => searchesPerSecond(now) * 0.6, search(http)),
    loop((now) => searchesPerSecond(now) * 0.4, search(grpc)),
    loop(8, () => products.getMany([`p${any()}`, `p${any()}`])),
    loop(2, () => products.count({ filter: { price: { $lt: 100 } } })),
    loop(1, () => products.scan({ pageSize: 200 }).pages().next()),
    loop(
      (now) => searchesPerSecond(now) / 15,
      () => upsert(products, any(), 20, rng),
    ),
    loop(2, () => products.patch([{ id: `p${any()}`, attributes: price() }])),
    loop(1, () => products.delete({ ids: [`p${any()}`, `p${any()}`] })),
    loop(0.5, (turn) => mistake(turn, http, stranger, rng)),
    ...guests.map((guest, i) =>
      loop(12 / 2 ** i, () => guest.collection(NOTES).query({ vector: vector(rng) })),
    ),
    loop(20, report),
    loop(0.4, (turn) => errand(turn, http, products)),
    loop(0.4, (turn) => http.collection(`archive-${turn % ARCHIVES}`).query({ vector: vector(rng) })),
  ];
  return {
    async stop() {
      isOver = true;
      await Promise.all(loops);
      await Promise.all([http, grpc, stranger, ...guests].map((client) => client.close()));
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
    () => products.snapshots.create(`evening-${turn}`),
    () => http.collections.list({ pageSize: 10 }).pages().next(),
    () => products.stats(),
    () => http.collections.branch('products', `trial-${turn}`),
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
