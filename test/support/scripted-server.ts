// A loopback HTTP server that speaks the API's protobuf and does what a test tells it: answer, refuse, stay
// silent, cut the connection, answer late. Requests are decoded by the generated codecs, so a test sees what
// a real server would see.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { METHODS } from '#sdk/gen/methods.js';
import type { MethodName, MethodTypes } from '#sdk/gen/methods.js';

/** A request as the server received it. */
export interface ReceivedCall {
  /** Such as `upsertRecords`. */
  readonly method: MethodName;
  /** The decoded message; for a method without body, only the fields of the route. */
  readonly message: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  readonly bodyBytes: number;
}

/** What the server does with a request. */
export type Reaction =
  | { readonly kind: 'answer'; readonly message: unknown }
  | { readonly kind: 'bytes'; readonly status: number; readonly type: string; readonly body: string | Buffer }
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly code: string;
      readonly reason: string;
      readonly message?: string;
      readonly fields?: readonly { readonly field: string; readonly description: string }[];
      readonly retryDelay?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'silence' }
  | { readonly kind: 'reset' };

export type Script = (call: ReceivedCall, index: number) => Reaction | Promise<Reaction>;

export const answer = <N extends MethodName>(_method: N, message: MethodTypes[N]['response']): Reaction => ({
  kind: 'answer',
  message,
});

export const refuse = (
  status: number,
  code: string,
  reason: string,
  more: Partial<Extract<Reaction, { kind: 'refuse' }>> = {},
): Reaction => ({ kind: 'refuse', status, code, reason, ...more });

export const RESET: Reaction = { kind: 'reset' };
export const SILENCE: Reaction = { kind: 'silence' };

/** A running scripted server. */
export interface ScriptedServer {
  readonly url: string;
  /** All requests so far, oldest first. */
  readonly calls: readonly ReceivedCall[];
  /** Connections that were opened so far. */
  connections(): number;
  /** Stops listening and cuts all connections; `listen` starts again on the same port. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server that reacts as `script` says. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const calls: ReceivedCall[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer((request, response) => {
    void receive(request).then(async (call) => {
      const index = calls.push(call) - 1;
      react(await script(call, index), call, request, response);
    });
  });
  server.on('connection', (socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const goAway = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    connections: () => opened,
    goAway,
    comeBack: () => listen(port),
    close: async () => {
      if (server.listening) await goAway();
    },
  };
}

async function receive(request: IncomingMessage): Promise<ReceivedCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const url = request.url ?? '';
  const path = url.split('?')[0] ?? '';
  const found = (Object.keys(METHODS) as MethodName[]).find((name) =>
    matches(name, request.method ?? '', path),
  );
  if (found === undefined) throw new Error(`no method for ${request.method} ${url}`);
  const method = METHODS[found];
  const message = method.hasBody
    ? (method.request.decode(body) as unknown as Record<string, unknown>)
    : Object.fromEntries(new URLSearchParams(url.split('?')[1] ?? ''));
  return { method: found, message, headers: request.headers, url, bodyBytes: body.byteLength };
}

function matches(name: MethodName, verb: string, path: string): boolean {
  const method = METHODS[name];
  const pattern = method.path.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return method.verb === verb && new RegExp(`^${pattern.join('[^/:]+')}$`).test(path);
}

function react(
  reaction: Reaction,
  call: ReceivedCall,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  switch (reaction.kind) {
    case 'answer': {
      const codec = METHODS[call.method].response as { encode(message: unknown): Uint8Array };
      response.setHeader('content-type', 'application/x-protobuf');
      response.end(codec.encode(reaction.message));
      return;
    }
    case 'bytes':
      response.writeHead(reaction.status, { 'content-type': reaction.type });
      response.end(reaction.body);
      return;
    case 'refuse':
      response.writeHead(reaction.status, { 'content-type': 'application/json', ...reaction.headers });
      response.end(JSON.stringify(statusOf(reaction)));
      return;
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'silence':
  }
}

function statusOf(reaction: Extract<Reaction, { kind: 'refuse' }>): unknown {
  const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`;
  const details: unknown[] = [
    { '@type': type('ErrorInfo'), reason: reaction.reason, domain: 'omendb', metadata: { seen: 'yes' } },
  ];
  if (reaction.fields !== undefined)
    details.push({ '@type': type('BadRequest'), fieldViolations: reaction.fields });
  if (reaction.retryDelay !== undefined)
    details.push({ '@type': type('RetryInfo'), retryDelay: reaction.retryDelay });
  const message = reaction.message ?? `refused with ${reaction.reason}`;
  return { error: { code: reaction.status, status: reaction.code, message, details } };
}
