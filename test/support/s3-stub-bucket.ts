// The bucket behind the HTTP stub of S3: objects, uploads of parts, and what a store may do wrong with
// preconditions.
import { createHash } from 'node:crypto';

/** What a store may get wrong for good. */
export interface StubFlaws {
  /** Takes every write whatever its If-None-Match says. */
  readonly ignoresIfNoneMatch?: boolean;
  /** Likewise for If-Match. */
  readonly ignoresIfMatch?: boolean;
  /** Looks first and writes a turn later: right for one request at a time. */
  readonly racy?: boolean;
  /** Pages of listings that hold nothing although more follows. */
  readonly emptyPages?: boolean;
}

export interface StubObject {
  readonly body: Buffer;
  readonly etag: string;
  /** `x-amz-meta-…` and encryption. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface StubUpload {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, Buffer>;
}

/** The precondition of a write, as its headers have it. */
export interface StubCondition {
  readonly ifNoneMatch: string | undefined;
  readonly ifMatch: string | undefined;
}

export type StubWrite = 'done' | 'PreconditionFailed' | 'NoSuchKey';

export class StubBucket {
  readonly objects = new Map<string, StubObject>();
  readonly uploads = new Map<string, StubUpload>();
  #uploadIds = 0;

  constructor(readonly flaws: StubFlaws) {}

  /** Writes when the condition holds. */
  async write(key: string, object: StubObject, condition: StubCondition): Promise<StubWrite> {
    const refusal = this.#refusal(key, condition);
    if (refusal !== null) return refusal;
    if (this.flaws.racy === true) await new Promise<void>((resolve) => void setImmediate(resolve));
    this.objects.set(key, object);
    return 'done';
  }

  begin(key: string, headers: Readonly<Record<string, string>>): string {
    const id = `upload-${++this.#uploadIds}`;
    this.uploads.set(id, { key, headers, parts: new Map() });
    return id;
  }

  /** Makes one object of the parts; the upload is over then. */
  async complete(id: string, upload: StubUpload, condition: StubCondition): Promise<StubWrite> {
    const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    const etag = `${md5(Buffer.concat(parts.map((part) => createHash('md5').update(part).digest())))}-${parts.length}`;
    const object = { body: Buffer.concat(parts), etag, headers: upload.headers };
    const written = await this.write(upload.key, object, condition);
    if (written === 'done') this.uploads.delete(id);
    return written;
  }

  /** Keys from `prefix` behind `after`, in the order of their bytes. */
  list(prefix: string, after: string): [string, StubObject][] {
    const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    return [...this.objects]
      .filter(([key]) => key.startsWith(prefix) && order(key, after) > 0)
      .sort(([a], [b]) => order(a, b));
  }

  #refusal(key: string, { ifNoneMatch, ifMatch }: StubCondition): Exclude<StubWrite, 'done'> | null {
    const present = this.objects.get(key);
    if (ifNoneMatch === '*' && present !== undefined && this.flaws.ignoresIfNoneMatch !== true)
      return 'PreconditionFailed';
    if (ifMatch === undefined || this.flaws.ignoresIfMatch === true) return null;
    if (present === undefined) return 'NoSuchKey';
    return ifMatch.replaceAll('"', '') === present.etag ? null : 'PreconditionFailed';
  }
}

export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
