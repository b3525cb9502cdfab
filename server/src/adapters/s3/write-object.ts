/*
 * Conditional writes, each with an outcome that is known: done, or somebody else was first. A request whose
 * effect is not known is resolved by reading back whose nonce the object has, and repeated when it is still
 * as it was. Repeating is safe because it is the same conditional request: of all its copies, also those that
 * are still on their way, at most one takes effect.
 */
import { invariant } from '../../core/errors.js';
import { laneOfWrite } from './lane-of.js';
import { multipartUpload } from './multipart-upload.js';
import type { ObjectReader } from './read-object.js';
import { unquoted } from './object-headers.js';
import type { S3Call, S3Calls } from './s3-calls.js';
import { S3Failure } from './s3-failure.js';
import type { ObjectWrite } from './write-headers.js';
import { headersOf } from './write-headers.js';

/** Larger bodies are sent in parts. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024;

export class ObjectWriter {
  constructor(
    private readonly calls: S3Calls,
    private readonly reader: ObjectReader,
  ) {}

  /**
   * The etag of the object written, or null: the precondition did not hold. Rejects with `OmenError`.
   */
  async write(write: ObjectWrite): Promise<string | null> {
    invariant(/^[0-9a-f]{32}$/.test(write.nonce), `nonce ${write.nonce} is not 32 hex digits`);
    const { key, body } = write;
    const call: S3Call = { action: 'write', key, lane: laneOfWrite(key, body.length) };
    for (let failures = 1; ; failures++) {
      try {
        return await this.#try(call, write);
      } catch (error) {
        const failure = this.calls.failureOf(error);
        const settled = await this.#settle(call, write, failure);
        if (settled !== undefined) return settled;
        if (!(await this.calls.mayRepeat(failures))) throw this.calls.error(failure, call);
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
