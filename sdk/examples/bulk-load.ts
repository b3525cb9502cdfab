// Loads a stream of records with a progress line, and walks through what was written.
// Run with OMENDB_URL (default http://127.0.0.1:8080) and OMENDB_TOKEN set.
import { BulkError, OmenClient } from '@omendb/client';
import type { RecordInput } from '@omendb/client';

interface Point {
  ring: number;
}

const COUNT = 20_000;

/** Points on rings; stands for a file or a database that is read piece by piece. */
async function* points(): AsyncGenerator<RecordInput<Point>> {
  for (let i = 0; i < COUNT; i += 1) {
    const angle = (i / 100) * Math.PI * 2;
    const ring = 1 + (i % 10);
    yield { id: `p${i}`, vector: [Math.cos(angle) * ring, Math.sin(angle) * ring], attributes: { ring } };
  }
}

const db = new OmenClient({ endpoint: process.env['OMENDB_URL'], token: process.env['OMENDB_TOKEN'] });
const rings = await db.collections.create<Point>({ name: 'rings', dimensions: 2, metric: 'l2' });

try {
  const report = await rings.bulk(points(), {
    onError: 'collect',
    onProgress: ({ written, recordsPerSecond }) => {
      console.error(`${written} of ${COUNT}, ${Math.round(recordsPerSecond)} per second`);
    },
  });
  console.log(`written ${report.written}, refused ${report.failedCount}`);
} catch (error) {
  if (!(error instanceof BulkError)) throw error;
  console.error(`${error.message}; go on with resumeFrom: ${error.report.resumeFrom}`);
  process.exitCode = 1;
}

let onThird = 0;
for await (const { attributes } of rings.scan({ filter: { ring: { $lte: 3 } } }))
  onThird += attributes.ring === 3 ? 1 : 0;
console.log(`${onThird} points on the third ring`);

await db.collections.delete('rings');
await db.close();
