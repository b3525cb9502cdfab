/**
 * The generated messages, method table and error reasons, for callers who want the wire itself. They change
 * with the protos.
 */
export * from './gen/messages.js';
export { METHODS } from './gen/methods.js';
export type { ClientMethod, MethodName, MethodTypes } from './gen/methods.js';
export { ERROR_REASONS } from './gen/error-reasons.js';
export { filterFromJson, filterToJson } from './gen/runtime/filter.js';
