// Writes the reference of all metrics: `node scripts/metrics-reference.mjs FOLDER` writes FOLDER/docs/metrics.md.
export {};
