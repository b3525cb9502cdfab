/**
 * Which state a read wants to be answered from, as the wire has it: how fresh, or which moment of the past.
 */
import { invalidArgument } from '../errors.js';
import { Consistency as ConsistencyCode } from '../gen/messages.js';
import type { Consistency, Moment, ReadOptions } from '../requests.js';

const CONSISTENCY_CODES: Readonly<Record<Consistency, ConsistencyCode>> = {
  session: ConsistencyCode.SESSION,
  strong: ConsistencyCode.STRONG,
  eventual: ConsistencyCode.EVENTUAL,
};

/** Part of the message of every request that reads or derives. */
export interface MomentFields {
  readonly asOf: Date | undefined;
  readonly snapshot: string | undefined;
  readonly asOfSequenceNumber: bigint | undefined;
}

/** Part of the message of every read. */
export interface StateFields extends MomentFields {
  readonly consistency: ConsistencyCode;
  readonly sessionToken: string;
}

/** The read wants a moment of the past. */
export function isOfThePast({ asOf, snapshot, asOfSequenceNumber }: Moment): boolean {
  return asOf !== undefined || snapshot !== undefined || asOfSequenceNumber !== undefined;
}

/**
 * `session` is the client's own token; it goes along where the read has a session and the caller gave no
 * other token.
 */
export function stateToWire(read: ReadOptions, session: string): StateFields {
  const { consistency } = read;
  const code = consistency === undefined ? ConsistencyCode.UNSPECIFIED : CONSISTENCY_CODES[consistency];
  const inSession = (consistency === undefined || consistency === 'session') && !isOfThePast(read);
  const sessionToken = read.sessionToken ?? (inSession ? session : '');
  return { consistency: code, sessionToken, ...momentToWire(read) };
}

/** Throws `InvalidArgumentError` for what is no moment; which moments go together is the server's to say. */
export function momentToWire({ asOf, snapshot, asOfSequenceNumber }: Moment): MomentFields {
  if (asOf !== undefined && !(asOf instanceof Date && Number.isFinite(asOf.getTime()))) {
    throw invalidArgument('INVALID_ARGUMENT', 'asOf', 'must be a Date that is a time');
  }
  if (asOfSequenceNumber !== undefined && !isSequenceNumber(asOfSequenceNumber)) {
    const text = `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, is ${String(asOfSequenceNumber)}`;
    throw invalidArgument('INVALID_ARGUMENT', 'asOfSequenceNumber', text);
  }
  const sequence = asOfSequenceNumber === undefined ? undefined : BigInt(asOfSequenceNumber);
  return { asOf, snapshot, asOfSequenceNumber: sequence };
}

function isSequenceNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
