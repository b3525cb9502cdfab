/*
 * The HTTP API: a route for every method of the protos, `/health` and the OpenAPI document.
 */
import type { Socket } from 'node:net';
import Fastify from 'fastify';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import type { ErrorReason } from '../../core/errors.js';
import { OmenError } from '../../core/errors.js';
import { quote } from '../../core/ids.js';
import type { MethodName } from '../../gen/methods.js';
import { METHODS } from '../../gen/methods.js';
import { OPENAPI } from '../../gen/openapi.js';
import type { Edge } from '../edge.js';
import { statusToJson } from '../errors.js';
import type { Listener } from '../listener.js';
import { Exchange } from './exchange.js';
import { JSON_TYPE } from './negotiate.js';
import type { BodyLimits } from './routes.js';
import { handlerOf } from './routes.js';

export interface HttpOptions extends BodyLimits {
  readonly host: string;
  readonly port: number;
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** Longest time for a client to send its request. */
  readonly receiveTimeoutMs: number;
}

/** A percent-encoded id takes up to three characters for each of its 512 bytes. */
const PARAMETER_CHARACTERS_MAX = 3 * 512;
/** How often connections are checked for clients that are too slow. */
const CHECK_INTERVAL_MS = 1000;

/** Begins to listen. Rejects with the system's error, such as EADDRINUSE. */
export async function listenHttp(edge: Edge, options: HttpOptions): Promise<Listener> {
  const server = createServer(edge, options);
  addRoutes(server, edge, options);
  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () => server.close(),
    closeNow: () => {
      server.server.closeAllConnections();
    },
  };
}

function createServer(edge: Edge, options: HttpOptions): FastifyInstance {
  const unknown = edge.requests.of('http');
  const server = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestIdHeader: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: options.keepAliveMs,
    requestTimeout: options.receiveTimeoutMs,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    http: { headersTimeout: options.receiveTimeoutMs, connectionsCheckingInterval: CHECK_INTERVAL_MS },
    clientErrorHandler: (error, socket) => {
      refuseConnection(error, socket, edge, options);
    },
    frameworkErrors: (error, request, reply) => {
      reply.hijack();
      const message = `the address cannot be read: ${error.message}`;
      new Exchange(edge, 'none', unknown, request.raw, reply.raw).fail(
        new OmenError('INVALID_ARGUMENT', message),
      );
    },
  });
  // Bodies are read by the routes, after the credentials.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  server.setNotFoundHandler(notFound(edge));
  server.setErrorHandler((error, request, reply) => {
    reply.hijack();
    new Exchange(edge, 'none', unknown, request.raw, reply.raw).fail(translate(error));
  });
  return server;
}

function addRoutes(server: FastifyInstance, edge: Edge, limits: BodyLimits): void {
  for (const name of Object.keys(METHODS) as MethodName[]) addMethod(server, edge, name, limits);
  server.get('/health', { exposeHeadRoute: true }, (_request, reply) => {
    const { version, clock, facts } = edge.deps;
    const uptimeSeconds = Math.round((clock.now() - facts.startedAtMs) / 1000);
    if (edge.draining) void reply.header('connection', 'close');
    return reply.type(JSON_TYPE).send({ status: edge.draining ? 'draining' : 'ok', version, uptimeSeconds });
  });
  const openApi = JSON.stringify(OPENAPI);
  server.get('/openapi.json', (_request, reply) => {
    if (edge.draining) void reply.header('connection', 'close');
    return reply.type(JSON_TYPE).send(openApi);
  });
}

function addMethod<N extends MethodName>(
  server: FastifyInstance,
  edge: Edge,
  name: N,
  limits: BodyLimits,
): void {
  const method = METHODS[name];
  server.route({
    method: method.verb,
    url: method.routePath,
    handler: handlerOf(edge, name, method, limits),
  });
}

function notFound(edge: Edge): RouteHandlerMethod {
  return (request, reply) => {
    reply.hijack();
    const route = `${request.method} ${quote(request.url)}`;
    const error = new OmenError('METHOD_NOT_FOUND', `there is no route ${route}: /openapi.json lists them`);
    new Exchange(edge, 'none', edge.requests.of('http'), request.raw, reply.raw).fail(error);
  };
}

/** Fastify's own refusals, of which only a content type that cannot be read is left. */
function translate(error: unknown): unknown {
  const status = (error as { statusCode?: unknown }).statusCode;
  if (status === 415) return new OmenError('UNSUPPORTED_MEDIA_TYPE', (error as Error).message);
  return status === 400 ? new OmenError('MALFORMED_BODY', (error as Error).message) : error;
}

/**
 * What cannot be read as HTTP, or comes too slowly: there is no request to answer, or it cannot be read to
 * its end, so the bytes are written by hand.
 */
function refuseConnection(
  error: Error & { code?: string },
  socket: Socket,
  edge: Edge,
  { receiveTimeoutMs }: HttpOptions,
): void {
  // A connection that was opened for later and on which nothing came is no request, and has no answer.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  const [line, reason, message] = describeClientError(error.code, receiveTimeoutMs);
  const refusal = new OmenError(reason, message);
  const unfinished = Exchange.unfinishedOn(socket);
  if (unfinished === undefined) edge.requests.of('http').failed(refusal);
  else if (!unfinished.breakOff(refusal)) {
    socket.destroy();
    return;
  }
  const body = Buffer.from(statusToJson(refusal, edge.requestId(undefined)));
  const head = `HTTP/1.1 ${line}\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), body]));
}

function describeClientError(
  code: string | undefined,
  receiveTimeoutMs: number,
): [string, ErrorReason, string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        '408 Request Timeout',
        'DEADLINE_EXCEEDED',
        `the request did not arrive within ${receiveTimeoutMs} ms`,
      ];
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        'MESSAGE_TOO_LARGE',
        'the headers are larger than 16 KiB',
      ];
    case 'HPE_INVALID_EOF_STATE':
      return ['400 Bad Request', 'CANCELLED', 'the client went away while it sent the request'];
    default:
      return ['400 Bad Request', 'MALFORMED_BODY', 'this is not an HTTP/1.1 request'];
  }
}
