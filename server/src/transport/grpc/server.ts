/*
 * The gRPC API: every method of the protos through one adapter, the health service and, on request,
 * reflection.
 */
import type {
  ServerInterceptingCall,
  ServerInterceptor,
  ServiceDefinition,
  StatusObject,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { OmenError } from '../../core/errors.js';
import { quote } from '../../core/ids.js';
import { DESCRIPTOR_SET_BASE64 } from '../../gen/descriptors.js';
import type { MethodName } from '../../gen/methods.js';
import { METHODS } from '../../gen/methods.js';
import type { Edge } from '../edge.js';
import type { Listener } from '../listener.js';
import { HELD_ANSWERS, STATUS_DETAILS, definitionOf, handlerOf, toServiceError } from './calls.js';
import { Connections, widenStreamWindows } from './connections.js';
import { boundReceivedBytes } from './received-bytes.js';
import { Watches } from './watches.js';

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  /** Largest message in bytes. */
  readonly protobufBodyBytes: number;
  /** Age at which a connection is asked to reconnect. */
  readonly grpcConnectionAgeMs: number;
  readonly grpcReflection: boolean;
}

type SentStatus = Parameters<InstanceType<typeof ServerInterceptingCall>['sendStatus']>[0];

const METHOD_NAMES: ReadonlyMap<string, MethodName> = new Map(
  (Object.keys(METHODS) as MethodName[]).map((name) => [METHODS[name].grpcPath, name]),
);

/** Beyond the longest request, so that none is cut off because its connection is old. */
const CONNECTION_AGE_GRACE_MS = 5000;

/** A gRPC listener also tells balancers that it is going. */
export interface GrpcListener extends Listener {
  /**
   * Asks clients to take their further calls elsewhere; the health service answers NOT_SERVING from now on.
   */
  drain(): void;
}

/** Begins to listen. Rejects with an error that names the address. */
export async function listenGrpc(edge: Edge, options: GrpcOptions): Promise<GrpcListener> {
  const watches = new Watches();
  const server = new Server({
    'grpc.max_receive_message_length': options.protobufBodyBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1000,
    'grpc.max_connection_age_ms': options.grpcConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': edge.deps.requestTimeoutMs + CONNECTION_AGE_GRACE_MS,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.enable_channelz': 0,
    interceptors: [
      explainRefusals(edge, options),
      boundReceivedBytes(edge, methodAt),
      releaseAnswers,
      watches.interceptor,
    ],
  });
  addServices(server, edge);
  const health = addHealth(server);
  if (options.grpcReflection) await addReflection(server);
  const widened = widenStreamWindows(server);
  const port = await bind(server, options);
  const connections = new Connections(server, (path) => {
    countUnknown(edge, path);
  });
  if (!connections.known || !widened) {
    edge.deps.logger.warn(
      'gRPC uploads use windows of 64 KiB: this version of grpc-js cannot be told otherwise',
    );
  }
  return {
    port,
    drain: () => {
      for (const name of ['', ...serviceNames()]) health.setStatus(name, 'NOT_SERVING');
      connections.announceEnd();
    },
    close: () =>
      new Promise((resolve) => {
        watches.end();
        server.tryShutdown(() => {
          resolve();
        });
      }),
    closeNow: () => {
      connections.destroy();
      server.forceShutdown();
    },
  };
}

function addServices(server: Server, edge: Edge): void {
  for (const service of serviceNames()) {
    const definition: Record<string, ReturnType<typeof definitionOf>> = {};
    const implementation: UntypedServiceImplementation = {};
    for (const name of Object.keys(METHODS) as MethodName[]) {
      if (METHODS[name].service !== service) continue;
      definition[name] = definitionOf(METHODS[name].grpcPath);
      implementation[name] = implement(edge, name);
    }
    server.addService(definition as ServiceDefinition, implementation);
  }
}

function implement<N extends MethodName>(edge: Edge, name: N): ReturnType<typeof handlerOf> {
  return handlerOf(edge, name, METHODS[name]);
}

function serviceNames(): string[] {
  return [...new Set(Object.values(METHODS).map((method) => method.service))];
}

function addHealth(server: Server): HealthImplementation {
  const services = ['', ...serviceNames()].map((name) => [name, 'SERVING'] as const);
  const health = new HealthImplementation(Object.fromEntries(services));
  health.addToServer(server);
  return health;
}

/** Loaded only here: the packages for it are large and seldom used. */
async function addReflection(server: Server): Promise<void> {
  const { ReflectionService } = await import('@grpc/reflection');
  const { loadFileDescriptorSetFromBuffer } = await import('@grpc/proto-loader');
  const descriptors = loadFileDescriptorSetFromBuffer(Buffer.from(DESCRIPTOR_SET_BASE64, 'base64'));
  new ReflectionService(descriptors).addToServer(server);
}

function bind(server: Server, { host, port }: GrpcOptions): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
}

/**
 * grpc-js refuses messages that are too large or cannot be read by itself and gives no reason. It does so
 * past the interceptors, on its own call object, so the reason is added there.
 */
function explainRefusals(edge: Edge, { protobufBodyBytes }: GrpcOptions): ServerInterceptor {
  return (definition, call) => {
    const name = methodAt(definition.path);
    if (name === undefined) return call as InstanceType<typeof ServerInterceptingCall>;
    const meter = edge.requests.of('grpc', name);
    const method = METHODS[name].name;
    const send = call.sendStatus.bind(call);
    let over = false;
    call.sendStatus = (sent) => {
      // It may find fault again with what it refused.
      const refusal = over ? undefined : refusalOf(sent, protobufBodyBytes);
      over = true;
      if (refusal === undefined) {
        send(sent);
        return;
      }
      const requestId = edge.requestId(undefined);
      const error = edge.ends.failed({ method, requestId, meter }, refusal);
      send({ ...sent, ...toServiceError(error, requestId) });
    };
    return call as InstanceType<typeof ServerInterceptingCall>;
  };
}

/** Why grpc-js refuses a call; undefined for a status that is ours, or that ends a call which is at work. */
function refusalOf(sent: SentStatus, messageBytesMax: number): OmenError | undefined {
  const { code } = sent;
  const ends = code === status.OK || code === status.CANCELLED || code === status.DEADLINE_EXCEEDED;
  if (ends || hasDetails(sent)) return undefined;
  if (code !== status.RESOURCE_EXHAUSTED)
    return new OmenError('MALFORMED_BODY', sent.details ?? 'no message');
  const message = `the message is larger than ${messageBytesMax} bytes: send smaller batches`;
  return new OmenError('MESSAGE_TOO_LARGE', message, { metadata: { limitBytes: String(messageBytesMax) } });
}

/**
 * Lets go of what a large answer holds when the connection has taken it. grpc-js sends the status then, or
 * when it cannot send any more; a client that takes nothing is rid of when its connection has its age.
 */
const releaseAnswers: ServerInterceptor = (_method, call) => {
  const sendMessage = call.sendMessage.bind(call);
  const sendStatus = call.sendStatus.bind(call);
  call.sendMessage = (message: Uint8Array, sent) => {
    const hold = HELD_ANSWERS.get(message);
    if (hold !== undefined) {
      call.sendStatus = (end) => {
        hold.release();
        sendStatus(end);
      };
    }
    sendMessage(message, sent);
  };
  return call as InstanceType<typeof ServerInterceptingCall>;
};

/** grpc-js answers a call of no method by itself, before any interceptor. */
function countUnknown(edge: Edge, path: string): void {
  if (path.startsWith('/grpc.') || methodAt(path) !== undefined) return;
  edge.requests.of('grpc').failed(new OmenError('METHOD_NOT_FOUND', `there is no method ${quote(path)}`));
}

/** The method of ours that a gRPC path names. */
function methodAt(path: string): MethodName | undefined {
  return METHOD_NAMES.get(path);
}

function hasDetails({
  metadata,
}: {
  readonly metadata?: StatusObject['metadata'] | null | undefined;
}): boolean {
  return (metadata?.get(STATUS_DETAILS).length ?? 0) > 0;
}
