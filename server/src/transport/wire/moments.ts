/*
 * Which state a request wants to be answered from: how fresh, or which moment of the past. A moment excludes
 * everything that asks for the present, and is refused beside it rather than winning over it in silence.
 */
import type * as api from '../../app/api.js';
import { OmenError } from '../../core/errors.js';
import * as pb from '../../gen/messages.js';

type MomentFields = Pick<pb.BranchCollectionRequest, 'asOf' | 'snapshot' | 'asOfSequenceNumber'>;
type ReadFields = MomentFields & Pick<pb.QueryRequest, 'consistency' | 'sessionToken'>;

/** Throws `INVALID_ARGUMENT` that names the fields which exclude each other. */
export function readOptionsFromWire(request: ReadFields): api.ReadOptions {
  const { sessionToken } = request;
  const consistency = CONSISTENCIES[request.consistency] ?? 'session';
  const [moment] = momentsOf(request);
  if (moment === undefined) return { consistency, sessionToken };
  const { asOf } = momentFromWire(request);
  if (sessionToken !== '') throw excluded([moment[0], 'sessionToken'], 'a session goes on in the present');
  if (consistency !== 'session') {
    throw excluded([moment[0], 'consistency'], `"${consistency}" says how fresh the present must be`);
  }
  return { consistency, sessionToken, ...(asOf === undefined ? {} : { asOf }) };
}

/** The moment of a request, if it names one. Throws `INVALID_ARGUMENT` when it names several. */
export function momentFromWire(request: MomentFields): { readonly asOf?: api.AsOf } {
  const moments = momentsOf(request);
  const [first] = moments;
  if (first === undefined) return {};
  const fields = moments.map(([field]) => field);
  if (fields.length > 1) throw excluded(fields, 'there is one state to begin with');
  const [field, asOf] = first;
  if (asOf.kind === 'time' && Number.isNaN(asOf.ms)) {
    throw new OmenError('INVALID_ARGUMENT', `${field} is no time between the years -271821 and 275760`, {
      field,
    });
  }
  return { asOf };
}

const CONSISTENCIES: Readonly<Record<number, api.Consistency>> = {
  [pb.Consistency.UNSPECIFIED]: 'session',
  [pb.Consistency.SESSION]: 'session',
  [pb.Consistency.STRONG]: 'strong',
  [pb.Consistency.EVENTUAL]: 'eventual',
};

/** Every moment that a request names, with its field. */
function momentsOf({ asOf, snapshot, asOfSequenceNumber }: MomentFields): [string, api.AsOf][] {
  const moments: [string, api.AsOf][] = [];
  if (asOf !== undefined) moments.push(['asOf', { kind: 'time', ms: asOf.getTime() }]);
  if (snapshot !== undefined) moments.push(['snapshot', { kind: 'snapshot', name: snapshot }]);
  if (asOfSequenceNumber !== undefined) {
    // What is beyond 2^53 lies beyond every write too.
    moments.push(['asOfSequenceNumber', { kind: 'sequence', sequence: Number(asOfSequenceNumber) }]);
  }
  return moments;
}

function excluded(fields: readonly string[], why: string): OmenError {
  const message = `${fields.join(' and ')} are given together: give one of them, ${why}`;
  const violations = fields.map((field) => ({ field, description: message }));
  return new OmenError('INVALID_ARGUMENT', message, { violations });
}
