/*
 * Records are sent in columns, and the server names what is wrong by the columns. A caller who gave records
 * wants the path of the record: `block[3].id` and `block.ids[3]` are `records[3].id`.
 */
import { errorFor } from '../errors.js';
import type { OmenError } from '../errors.js';

const BLOCK_PATH = /\bblock(?:\.(ids|vectorsF32|attributes))?\[(\d+)\](?:\.values\b)?/g;
const RECORD_PATH = /^(?:records|block(?:\.(?:ids|vectorsF32|attributes))?)\[(\d+)\]/;
const PARTS: ReadonlyMap<string | undefined, string> = new Map([
  [undefined, ''],
  ['ids', '.id'],
  ['vectorsF32', '.vector'],
  ['attributes', '.attributes'],
]);

/** The same error with the paths of records. */
export function inRecordTerms(error: OmenError): OmenError {
  return errorFor(error.code, error.reason, recordPath(error.message), {
    status: error.status,
    retryable: error.retryable,
    retryAfterMs: error.retryAfterMs,
    requestId: error.requestId,
    fieldViolations: error.fieldViolations.map(({ field, description }) => ({
      field: recordPath(field),
      description: recordPath(description),
    })),
    metadata: error.metadata,
    attempts: error.attempts,
    cause: error.cause,
  });
}

/** The index of the record that a path is about; `undefined` when it is about none. */
export function recordIndexOf(path: string): number | undefined {
  const match = RECORD_PATH.exec(path);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function recordPath(text: string): string {
  return text.replace(BLOCK_PATH, (_path, column: string | undefined, index: string) => {
    return `records[${index}]${PARTS.get(column) ?? ''}`;
  });
}
