// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/*
 * From the parts of an HTTP request to a message: body, path and query string say different fields, and none
 * may be said twice.
 */
import { refuse, type Method, type QueryKind } from './method.js';
import { kindOf, Place } from './place.js';
import { unknownField, type JsonObject } from './scalars.js';

/** Path parameters, decoded, by JSON name. */
export type PathParameters = Readonly<globalThis.Record<string, string | undefined>>;
/** Query parameters, decoded; a repeated one is an array. */
export type QueryParameters = Readonly<globalThis.Record<string, unknown>>;

/** Reads a request whose body is JSON, parsed already; undefined for no body. Throws `InvalidRequest`. */
export function requestFromJson<I>(
  method: Method<I, unknown>,
  path: PathParameters,
  query: QueryParameters,
  body: unknown,
): I {
  const json = method.hasBody ? jsonBody(query, body) : queryObject(method.queryFields, query);
  return bindPath(method, method.request.fromJson(json), path);
}

/** Reads a request whose body is protobuf; empty for no body. Throws `InvalidRequest`. */
export function requestFromProtobuf<I>(
  method: Method<I, unknown>,
  path: PathParameters,
  query: QueryParameters,
  body: Uint8Array,
): I {
  if (!method.hasBody) return requestFromJson(method, path, query, undefined);
  refuseQuery(query);
  return bindPath(method, method.request.decode(body), path);
}

function jsonBody(query: QueryParameters, body: unknown): unknown {
  refuseQuery(query);
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  const seen = body === undefined ? 'empty' : kindOf(body);
  return refuse({
    field: '',
    description: `the body must be a JSON object, not ${seen}`,
    reason: 'MALFORMED_BODY',
  });
}

function refuseQuery(query: QueryParameters): void {
  for (const name of Object.keys(query)) {
    refuse({ field: name, description: 'this method takes no query parameters', reason: 'UNKNOWN_FIELD' });
  }
}

/** Sets the fields that the path holds; the body may repeat but not contradict them. */
function bindPath<I>(method: Method<I, unknown>, message: I, path: PathParameters): I {
  const fields = message as globalThis.Record<string, unknown>;
  for (const name of method.pathFields) {
    const value = path[name] ?? '';
    if (!value.isWellFormed()) {
      refuse({ field: name, description: 'is not well-formed Unicode', reason: 'INVALID_ARGUMENT' });
    }
    if (fields[name] !== '' && fields[name] !== value) {
      refuse({ field: name, description: 'differs from the path', reason: 'INVALID_ARGUMENT' });
    }
    fields[name] = value;
  }
  return message;
}

/** The query string as the JSON object it stands for. */
function queryObject(
  kinds: Readonly<globalThis.Record<string, QueryKind>>,
  query: QueryParameters,
): JsonObject {
  const at = new Place();
  const known = new Set(Object.keys(kinds));
  const object: JsonObject = {};
  for (const name of Object.keys(query)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) unknownField(at, name, known);
    else object[name] = queryValue(kind, query[name], at, name);
  }
  at.finish();
  return object;
}

function queryValue(kind: QueryKind, value: unknown, at: Place, name: string): unknown {
  if (kind === 'strings') return Array.isArray(value) ? value : [value];
  if (typeof value !== 'string') {
    at.report('INVALID_ARGUMENT', 'is given more than once', name);
    return undefined;
  }
  if (kind === 'bool') {
    if (value === 'true' || value === 'false') return value === 'true';
    at.report('INVALID_ARGUMENT', 'must be true or false', name);
  } else if (kind === 'uint32') {
    if (/^\d{1,10}$/.test(value)) return Number(value);
    at.report('INVALID_ARGUMENT', 'must be a whole number', name);
  } else return value;
  return undefined;
}
