/*
 * The HTTP route of one method. Fastify finds the route and everything else is done here on Node's own
 * request and response: credentials are checked before the body is read, and the answer is written in one
 * piece.
 */
import type { RouteHandlerMethod } from 'fastify';
import type { MethodName, MethodTypes, ServerMethod } from '../../gen/methods.js';
import type { PathParameters, QueryParameters } from '../../gen/runtime/http-request.js';
import { requestFromJson, requestFromProtobuf } from '../../gen/runtime/http-request.js';
import type { Edge } from '../edge.js';
import type { Hold } from '../held-bytes.js';
import { readBody } from './body.js';
import { Exchange } from './exchange.js';
import { parseJson } from './json-body.js';
import { encodingOfBody } from './negotiate.js';

export interface BodyLimits {
  readonly jsonBodyBytes: number;
  readonly protobufBodyBytes: number;
}

type Method<N extends MethodName> = ServerMethod<MethodTypes[N]['request'], MethodTypes[N]['response']>;

export function handlerOf<N extends MethodName>(
  edge: Edge,
  name: N,
  method: Method<N>,
  limits: BodyLimits,
): RouteHandlerMethod {
  const meter = edge.requests.of('http', name);
  const call = edge.bind(name, method, meter);
  const encodeJson = (answer: MethodTypes[N]['response']): string =>
    JSON.stringify(method.response.toJson(answer));

  async function serve(
    exchange: Exchange,
    path: PathParameters,
    query: QueryParameters,
    hold: Hold,
  ): Promise<void> {
    const context = exchange.begin();
    let identity = edge.identify(method, exchange.request.headers.authorization);
    if (identity instanceof Promise) identity = await identity;
    const caller = identity;
    edge.lap(context, 'auth');
    const request = await read(exchange, path, query, hold);
    edge.lap(context, 'decode');
    const encode: (answer: MethodTypes[N]['response']) => Uint8Array | string =
      exchange.encoding === 'protobuf' ? method.response.encode : encodeJson;
    const steps = { answer: () => call(context, caller, request), encode };
    const body = await edge.produce(context, request, steps, () => exchange.over);
    if (body !== undefined) exchange.answer(body);
  }

  async function read(
    exchange: Exchange,
    path: PathParameters,
    query: QueryParameters,
    hold: Hold,
  ): Promise<MethodTypes[N]['request']> {
    if (!method.hasBody) return requestFromJson(method, path, query, undefined);
    const { protobufBodyBytes, jsonBodyBytes } = limits;
    if (encodingOfBody(exchange.request.headers) === 'protobuf') {
      const body = await readBody(exchange.request, protobufBodyBytes, hold);
      return requestFromProtobuf(method, path, query, body);
    }
    const body = await readBody(exchange.request, jsonBodyBytes, hold);
    return requestFromJson(method, path, query, parseJson(body));
  }

  return (request, reply) => {
    reply.hijack();
    const exchange = new Exchange(edge, method.name, meter, request.raw, reply.raw);
    try {
      edge.enter(meter);
    } catch (error) {
      exchange.fail(error);
      return;
    }
    const hold = edge.held.open();
    serve(exchange, request.params as PathParameters, request.query as QueryParameters, hold)
      .catch((error: unknown) => {
        exchange.fail(error);
      })
      .finally(() => {
        hold.release();
        edge.leave(meter);
      });
  };
}
