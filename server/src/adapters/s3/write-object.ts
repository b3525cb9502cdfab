/*
 * Conditional writes, each with an outcome that is known: done, or somebody else was first. A request whose
 * effect is not known is resolved by reading back whose nonce the object has, and repeated when it is still
 * as it was. Repeating is safe because it is the same conditional request: of all its copies, also those that
 * are still on their way, at most one takes effect.
 */
import { invariant, OmenError } from '../../core/errors.js';
import { laneOfWrite } from './lane-of.js';
import { multipartUpload } from './multipart-upload.js';
import type { ObjectReader } from './read-object.js';
import { unquoted } from './object-headers.js';
import type { RequestOutcome } from './request-counts.js';
import type { S3Call, S3Calls } from './s3-calls.js';
import type { FailureKind } from './s3-failure.js';
import { S3Failure } from './s3-failure.js';
import type { ObjectWrite } from './write-headers.js';
import { headersOf } from './write-headers.js';

/** Larger bodies are sent in parts. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024;

/** What became of a write. */
export interface Written {
  /** Of the object written; null: the precondition does not hold. */
  readonly etag: string | null;
  /**
   * A try had no answer: that it took effect, and somebody else changed the object since, is not ruled out.
   */
  readonly unsure: boolean;
}

/** Answers of a store that a try took no effect. */
const SAYS_NOTHING_DONE: ReadonlySet<FailureKind> = new Set(['precondition', 'conflict', 'skewed']);

export class ObjectWriter {
  constructor(
    private readonly calls: S3Calls,
    private readonly reader: ObjectReader,
  ) {}

  /** Writes, or finds that the precondition does not hold. Rejects with `OmenError`. */
  async write(write: ObjectWrite): Promise<Written> {
    invariant(/^[0-9a-f]{32}$/.test(write.nonce), `nonce ${write.nonce} is not 32 hex digits`);
    const { key, body } = write;
    const call: S3Call = { action: 'write', operation: 'put', key, lane: laneOfWrite(key, body.length) };
    let unsure = false;
    for (let failures = 1; ; failures++) {
      try {
        return { etag: await this.#try(call, write), unsure };
      } catch (error) {
        let ended: RequestOutcome = 'error';
        try {
          const failure = this.calls.failureOf(error);
          // This try wrote nothing, which is no answer to the earlier one.
          if (unsure && failure.kind === 'full') throw openOutcome(this.calls.error(failure, call));
          unsure ||= !SAYS_NOTHING_DONE.has(failure.kind);
          const settled = await this.#settle(call, write, failure);
          if (settled === undefined && !(await this.calls.mayRepeat(failures)))
            throw this.calls.error(failure, call);
          // There is nothing to replace: a good answer. Other failures were mended by reading or repeating.
          ended = failure.kind === 'absent' ? 'ok' : 'retry';
          if (settled !== undefined) return { etag: settled, unsure };
        } finally {
          this.calls.counts.end(error, ended);
        }
      }
    }
  }

  #try(call: S3Call, write: ObjectWrite): Promise<string> {
    const { calls, reader } = this;
    const headers = headersOf(calls.options, write);
    if (write.body.length > WHOLE_BYTES_MAX) return multipartUpload({ calls, reader }, call, write, headers);
    const { PutObjectCommand } = calls.access.sdk;
    return calls.once(call, async (signal) => {
      const command = new PutObjectCommand({
        ...headers.target,
        ...headers.object,
        ...headers.condition,
        Body: write.body,
      });
      const { ETag } = await calls.send(signal, (client, options) => client.send(command, options));
      // Read back, then, as after any answer that tells nothing.
      if (ETag === undefined) throw new S3Failure('no-etag', 'the store told no etag', null);
      return unquoted(ETag);
    });
  }

  /** The outcome, or undefined: not yet, the same request may be repeated. */
  async #settle(call: S3Call, write: ObjectWrite, failure: S3Failure): Promise<string | null | undefined> {
    switch (failure.kind) {
      case 'throttled':
      case 'conflict':
      case 'skewed':
        // The store says that it did nothing. Should that be wrong, the repetition finds out.
        return undefined;
      case 'precondition':
      case 'unknown':
      case 'no-upload':
        break;
      case 'absent':
        if (write.replaces !== null) break;
        throw this.calls.error(failure, call);
      case 'range':
      case 'full':
      case 'refused':
        throw this.calls.error(failure, call);
    }
    const state = await this.reader.inspect(write.key);
    if (state?.nonce === write.nonce) return state.etag;
    return (state?.etag ?? null) === write.replaces ? undefined : null;
  }
}

function openOutcome(error: OmenError): OmenError {
  const { message, metadata } = error;
  return new OmenError('STORAGE_UNAVAILABLE', message, { metadata, retryAfterMs: 5000, cause: error });
}
