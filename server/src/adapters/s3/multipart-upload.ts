/*
 * Large objects, sent in parts and made visible by one conditional request at the end. Whatever ends it
 * early, the upload is given up first, so that no request that is still on its way can complete it later: the
 * caller may then read back what the outcome was.
 */
import { unquoted } from './object-headers.js';
import type { ObjectReader } from './read-object.js';
import type { S3Call, S3Calls } from './s3-calls.js';
import { S3Failure } from './s3-failure.js';
import type { ObjectWrite, WriteHeaders } from './write-headers.js';

const PART_BYTES_MIN = 8 * 1024 * 1024;
/** S3 allows 10 000. */
const PARTS_MAX = 1000;
const PARTS_AT_ONCE = 4;

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
}

/** The etag of the object. Rejects with `S3Failure`, or with the `OmenError` of a part. */
export async function multipartUpload(
  { calls, reader }: { readonly calls: S3Calls; readonly reader: ObjectReader },
  call: S3Call,
  write: ObjectWrite,
  headers: WriteHeaders,
): Promise<string> {
  const { CreateMultipartUploadCommand, CompleteMultipartUploadCommand, AbortMultipartUploadCommand } =
    calls.access.sdk;
  const part: S3Call = { ...call, operation: 'multipart' };
  const { UploadId = '' } = await calls.repeat(part, (signal) =>
    calls.send(signal, (client, options) =>
      client.send(new CreateMultipartUploadCommand({ ...headers.target, ...headers.object }), options),
    ),
  );
  const upload = { ...headers.target, UploadId };
  try {
    const parts = await sendParts(calls, part, upload, write.body);
    const etag = await calls.once(part, async (signal) => {
      const complete = { ...upload, ...headers.condition, MultipartUpload: { Parts: parts } };
      const command = new CompleteMultipartUploadCommand(complete);
      const { ETag } = await calls.send(signal, (client, options) => client.send(command, options));
      // An answer of 200 may hold an error: the request takes long, and its status was sent before.
      if (ETag === undefined) throw new S3Failure('no-etag', 'the upload was not completed', null);
      return unquoted(ETag);
    });
    await verify(reader, write);
    return etag;
  } catch (error) {
    await calls
      .once(part, (signal) =>
        calls.send(signal, (client, options) =>
          client.send(new AbortMultipartUploadCommand(upload), options),
        ),
      )
      .catch((unended: unknown) => calls.counts.end(unended, 'error'));
    throw error;
  }
}

/** An object that is referred to must be whole: one look costs little against the upload. */
async function verify(reader: ObjectReader, { key, nonce, body, tail = 0 }: ObjectWrite): Promise<void> {
  const state = await reader.inspect(key);
  if (state === null) throw new S3Failure('absent', 'the object is not there after its upload', 500);
  if (state.nonce !== nonce) return;
  const size = body.length - tail;
  if (state.size !== size)
    throw new S3Failure('truncated', `the object has ${state.size} bytes instead of ${size}`, 500);
}

async function sendParts(calls: S3Calls, call: S3Call, upload: Upload, body: Uint8Array): Promise<Part[]> {
  const { UploadPartCommand } = calls.access.sdk;
  const { clock } = calls.deps;
  const partBytes = Math.max(PART_BYTES_MIN, Math.ceil(body.length / PARTS_MAX));
  const parts: Part[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let at = next++; at * partBytes < body.length; at = next++) {
      const bytes = body.subarray(at * partBytes, (at + 1) * partBytes);
      const command = new UploadPartCommand({ ...upload, PartNumber: at + 1, Body: bytes });
      const startedMs = clock.monotonic();
      const { ETag = '' } = await calls.repeat({ ...call, lane: 'flush' }, (signal) =>
        calls.send(signal, (client, options) => client.send(command, options)),
      );
      calls.counts.partSeconds.observe((clock.monotonic() - startedMs) / 1000);
      parts[at] = { PartNumber: at + 1, ETag };
    }
  };
  const failing = (error: unknown): never => {
    // The others begin no further part.
    next = Number.POSITIVE_INFINITY;
    throw error;
  };
  const senders = await Promise.allSettled(
    Array.from({ length: PARTS_AT_ONCE }, () => sender().catch(failing)),
  );
  const failed = senders.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return parts;
}
