// One way to call any method over each of the three ways in, without the surface of the client in `sdk/`,
// which would refuse much of what a test of the server sends. Answers are decoded messages, errors are what
// `google.rpc.Status` says.
import { request } from 'node:http';
import type { IncomingHttpHeaders, RequestOptions } from 'node:http';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { errorOfStatusBytes, errorOfStatusJson } from '#sdk/wire/status.js';
import type { OmenError } from '#sdk/errors.js';
import { METHODS } from '#sdk/gen/methods.js';
import type { MethodName, MethodTypes } from '#sdk/gen/methods.js';

export const WAYS = ['HTTP with JSON', 'HTTP with protobuf', 'gRPC'] as const;
export type Way = (typeof WAYS)[number];

export interface WireFailure {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly fields: readonly string[];
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  readonly status: number;
}

export type WireOutcome<N extends MethodName> =
  | { readonly ok: true; readonly answer: MethodTypes[N]['response'] }
  | { readonly ok: false; readonly failure: WireFailure };

export interface CallExtras {
  readonly token?: string;
  readonly requestId?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Further headers, or entries of metadata. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Addresses {
  readonly url: string;
  readonly grpcAddress: string;
}

export interface WireClient {
  call<N extends MethodName>(
    name: N,
    message: MethodTypes[N]['request'],
    extras?: CallExtras,
  ): Promise<WireOutcome<N>>;
  close(): void;
}

export function wireClient(way: Way, { url, grpcAddress }: Addresses): WireClient {
  if (way === 'gRPC') return grpcClient(grpcAddress);
  return {
    call: (name, message, extras) => callHttp(way, url, name, message, extras),
    close: () => undefined,
  };
}

async function callHttp<N extends MethodName>(
  way: Way,
  url: string,
  name: N,
  message: MethodTypes[N]['request'],
  { token, requestId, timeoutMs, signal, headers }: CallExtras = {},
): Promise<WireOutcome<N>> {
  const method = METHODS[name];
  const json = way === 'HTTP with JSON';
  const type = json ? 'application/json' : 'application/x-protobuf';
  const body = json
    ? JSON.stringify(method.request.toJson(message))
    : Buffer.from(method.request.encode(message));
  const response = await send(url, targetOf(name, message), {
    method: method.verb,
    headers: {
      ...headers,
      accept: type,
      ...(method.hasBody ? { 'content-type': type, 'content-length': Buffer.byteLength(body) } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
      ...(timeoutMs === undefined ? {} : { 'omendb-timeout-ms': String(timeoutMs) }),
    },
    body: method.hasBody ? body : '',
    ...(signal === undefined ? {} : { signal }),
  });
  const { status, bytes } = response;
  if (!response.type.startsWith(type)) throw new Error(`asked for ${type}, got ${response.type}`);
  const text = (): unknown => JSON.parse(new TextDecoder().decode(bytes));
  if (status === 200) {
    return { ok: true, answer: json ? method.response.fromJson(text()) : method.response.decode(bytes) };
  }
  const context = { httpStatus: status };
  const error = json ? errorOfStatusJson(text(), context) : errorOfStatusBytes(bytes, context);
  if (error === undefined) throw new Error(`HTTP ${status} without a status in its body`);
  return { ok: false, failure: failureOf(error) };
}

interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
}

/** Sends a request as it is: `fetch` would tidy the path. */
export function send(
  url: string,
  path: string,
  { body, ...options }: RequestOptions & { readonly body?: string | Uint8Array },
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, hostname, port, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, type: headers['content-type'] ?? '', headers, bytes: Buffer.concat(chunks) });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function targetOf<N extends MethodName>(name: N, message: MethodTypes[N]['request']): string {
  const method = METHODS[name];
  const fields = message as Readonly<Record<string, unknown>>;
  const path = method.pathFields.reduce(
    (sofar, field) => sofar.replace(`{${field}}`, encodeURIComponent(String(fields[field]))),
    method.path,
  );
  const query = new URLSearchParams();
  const json = method.request.toJson(message) as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(method.queryFields)) {
    for (const value of [json[field]].flat()) {
      if (value !== undefined && value !== '' && value !== false) query.append(field, String(value));
    }
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function grpcClient(address: string): WireClient {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  });
  return {
    call: (name, message, extras) => callGrpc(client, name, message, extras),
    close: () => {
      client.close();
    },
  };
}

function callGrpc<N extends MethodName>(
  client: Client,
  name: N,
  message: MethodTypes[N]['request'],
  { token, requestId, timeoutMs, signal, headers = {} }: CallExtras = {},
): Promise<WireOutcome<N>> {
  const method = METHODS[name];
  const metadata = new Metadata();
  for (const [header, value] of Object.entries(headers)) metadata.set(header, value);
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  if (requestId !== undefined) metadata.set('x-request-id', requestId);
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.grpcPath,
      (sent: MethodTypes[N]['request']) => Buffer.from(method.request.encode(sent)),
      (bytes: Buffer) => method.response.decode(bytes),
      message,
      metadata,
      timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
      (error, answer) => {
        if (error === null && answer !== undefined) resolve({ ok: true, answer });
        else if (error !== null) settle(error);
      },
    );
    const settle = (error: ServiceError): void => {
      const details = error.metadata.get('grpc-status-details-bin')[0];
      if (details === undefined) reject(error);
      else resolve({ ok: false, failure: failureOf(errorOfStatusBytes(Buffer.from(details), {})) });
    };
    signal?.addEventListener('abort', () => {
      call.cancel();
    });
  });
}

function failureOf(error: OmenError): WireFailure {
  const { code, reason, message, retryAfterMs, requestId, status } = error;
  const fields = error.fieldViolations.map(({ field }) => field);
  return { code, reason, message, fields, retryAfterMs, requestId, status };
}
