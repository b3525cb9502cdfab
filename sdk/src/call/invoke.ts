/**
 * A call from its message to its answer's message: the typed step between the surface and the bytes that a
 * `Caller` sends.
 */
import { errorFor } from '../errors.js';
import { METHODS } from '../gen/methods.js';
import type { MethodName, MethodTypes } from '../gen/methods.js';
import type { Method } from '../gen/runtime/method.js';
import type { CallOptions } from '../options.js';
import type { Caller } from './caller.js';

/** Request message of a method. */
export type RequestOf<N extends MethodName> = MethodTypes[N]['request'];
/** Response message of a method. */
export type ResponseOf<N extends MethodName> = MethodTypes[N]['response'];

/** Sends a message and reads the answer. Rejects with `OmenError` only. */
export async function invoke<N extends MethodName>(
  caller: Caller,
  name: N,
  request: RequestOf<N>,
  requestId: string,
  options: CallOptions | undefined,
): Promise<ResponseOf<N>> {
  const method = METHODS[name];
  const target = targetOf(method, request, method.toPath(request));
  const answer = await caller.call(
    { method, target, body: method.request.encode(request), requestId },
    options,
  );
  return decodeAnswer(name, answer, requestId);
}

/** The answer's message. Throws `INVALID_RESPONSE` when the bytes are not one. */
export function decodeAnswer<N extends MethodName>(
  name: N,
  answer: Uint8Array,
  requestId: string,
): ResponseOf<N> {
  const { response } = METHODS[name];
  try {
    return response.decode(answer);
  } catch (cause) {
    const text = `the answer is not the protobuf message ${response.typeName}`;
    throw errorFor('INTERNAL', 'INVALID_RESPONSE', text, { requestId, cause, attempts: 1 });
  }
}

/** The path with the query string of a method without body; values that are unset or empty are left out. */
function targetOf<I>(method: Method<I, unknown>, request: I, path: string): string {
  if (method.hasBody) return path;
  const query = new URLSearchParams();
  // A query string has the texts of JSON: of a time, of an enum.
  const json = method.request.toJson(request) as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(method.queryFields)) {
    for (const value of [json[name]].flat()) {
      if (value !== undefined && value !== '' && value !== false) query.append(name, String(value));
    }
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
