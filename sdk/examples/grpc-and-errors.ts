// gRPC in place of HTTP, time limits, cancelling, and errors that a program can act on.
// Run with OMENDB_GRPC_URL (default http://127.0.0.1:9090) and OMENDB_TOKEN set.
import { CancelledError, NotFoundError, OmenClient, OmenError } from '@omendb/client';
import { grpcTransport } from '@omendb/client/grpc';

const db = new OmenClient({
  endpoint: process.env['OMENDB_GRPC_URL'] ?? 'http://127.0.0.1:9090',
  token: process.env['OMENDB_TOKEN'],
  transport: grpcTransport(),
  timeoutMs: 5_000,
  logger: { warn: (message, facts) => console.error(message, facts) },
});

try {
  await db.collection('nobody-made-this').count();
} catch (error) {
  if (!(error instanceof NotFoundError)) throw error;
  console.log('not found:', error.reason);
}

const things = await db.collections.create({ name: 'things', dimensions: 2 });
try {
  await things.upsert([
    { id: 'a', vector: [1, 0] },
    { id: 'b', vector: [0, 0] },
  ]);
} catch (error) {
  if (!(error instanceof OmenError)) throw error;
  console.log('refused:', error.reason, 'at', error.fieldViolations[0]?.field);
}

// The same id sent twice takes effect once: this is what makes a repeated write safe.
const requestId = 'order-4711';
const first = await things.upsert([{ id: 'a', vector: [1, 0] }], { requestId });
const again = await things.upsert([{ id: 'a', vector: [1, 0] }], { requestId });
console.log('written once:', first.sequenceNumber === again.sequenceNumber);

// A user who types on wants the answer to the newer question only.
const controller = new AbortController();
const search = things.query({ vector: [1, 1] }, { signal: controller.signal });
controller.abort();
try {
  await search;
} catch (error) {
  console.log('cancelled:', error instanceof CancelledError);
}

await db.collections.delete('things');
await db.close();
