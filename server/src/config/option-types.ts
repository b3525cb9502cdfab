/*
 * How the text of an environment variable becomes a value. A type says in words what it takes, for
 * `--help`, the README and every error.
 */

import type { StoreAddress } from '../ports/store-address.js';

/** One kind of value. */
export interface OptionType<T> {
  /** What is allowed, to follow "must be". */
  readonly allowed: string;
  /** The value, or undefined when the text is not allowed. */
  readonly parse: (text: string) => T | undefined;
  /** What is wrong with a secret that is refused, since it is not shown; "is malformed" unless given. */
  readonly fault?: string;
  /** How to come by a right one, to follow the sentence. */
  readonly advice?: string;
  /** A value as its author would write it. */
  format(value: T): string;
}

export function int(min: number, max: number): OptionType<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    parse: (text) => within(/^\d+$/.test(text) ? Number(text) : undefined, min, max),
    format: String,
  };
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(): OptionType<number> {
  return { ...int(0, 65_535), allowed: 'a port from 1 to 65535, or 0 for any free port' };
}

export function bool(): OptionType<boolean> {
  return {
    allowed: 'true or false',
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
    format: String,
  };
}

export function oneOf<const T extends string>(values: readonly T[]): OptionType<T> {
  return {
    allowed: `one of ${values.join(', ')}`,
    parse: (text) => values.find((value) => value === text),
    format: String,
  };
}

/** Milliseconds. */
export function duration(min: string, max: string): OptionType<number> {
  const [minMs, maxMs] = [milliseconds(min) ?? 0, milliseconds(max) ?? 0];
  return {
    allowed: `a time from ${min} to ${max}, such as 250ms, 30s, 5m or 1h`,
    parse: (text) => within(milliseconds(text), minMs, maxMs),
    format: formatMilliseconds,
  };
}

/** Bytes. */
export function byteSize(min: string, max: string): OptionType<number> {
  const [minBytes, maxBytes] = [bytes(min) ?? 0, bytes(max) ?? 0];
  return {
    allowed: `a size from ${min} to ${max}, such as 1073741824, 512Mi or 2Gi`,
    parse: (text) => within(bytes(text), minBytes, maxBytes),
    format: formatBytes,
  };
}

/** An address to listen on. */
export function address(): OptionType<string> {
  return {
    allowed: 'an IP address or host name to listen on, such as 127.0.0.1, 0.0.0.0 or ::',
    parse: (text) => (/^[a-zA-Z0-9.:_-]{1,255}$/.test(text) ? text : undefined),
    format: String,
  };
}

export function path(what: 'file' | 'folder'): OptionType<string> {
  return {
    allowed: `the path of a ${what}`,
    parse: (text) => (text.includes('\0') ? undefined : text),
    format: String,
  };
}

/** A `file://` or `s3://` address. */
export function storeAddress(): OptionType<StoreAddress> {
  return {
    allowed:
      'file:// and the path of a folder, such as file:///var/lib/omendb, or s3:// and the name of a bucket, ' +
      'with a prefix if you like, such as s3://vectors or s3://vectors/omendb',
    parse: (text) => {
      const folder = /^file:\/\/([^\0?#]+)$/.exec(text)?.[1];
      return folder === undefined ? bucketAddress(text) : { kind: 'file', folder };
    },
    format: (address) =>
      address.kind === 'file' ? `file://${address.folder}` : `s3://${address.bucket}/${address.prefix}`,
  };
}

/** The URL of a service, without a path. */
export function endpoint(): OptionType<string> {
  return {
    allowed: 'http:// or https:// and a host, with a port if need be, such as https://s3.example.com:9000',
    parse: (text) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      const bare = url !== null && text.replace(/\/$/, '') === `${url.protocol}//${url.host}`;
      return bare && /^https?:$/.test(url.protocol) ? url.origin : undefined;
    },
    format: String,
  };
}

/** Any text of one line. */
export function text(what: string): OptionType<string> {
  return {
    allowed: what,
    parse: (value) => (/^[\x21-\x7e]{1,2048}$/.test(value) ? value : undefined),
    format: String,
  };
}

/** A share of a whole. */
export function ratio(): OptionType<number> {
  return {
    allowed: 'a number from 0 to 1',
    parse: (text) => within(/^(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : undefined, 0, 1),
    format: String,
  };
}

/** The URL of a service, with a path if need be. */
export function url(): OptionType<string> {
  return {
    allowed: 'an http:// or https:// URL without credentials, such as http://collector:4318',
    parse: (text) => (URL.canParse(text) && /^https?:\/\/[^?#@]+$/.test(text) ? text : undefined),
    format: String,
  };
}

/** Pairs as OpenTelemetry writes them, with percent signs for what could be mistaken. */
export function pairs(what: string): OptionType<Readonly<Record<string, string>>> {
  return {
    allowed: `${what}, as name=value pairs with commas between them; other characters percent-encoded`,
    parse: parsePairs,
    format: () => '(pairs)',
  };
}

/** Keys, at least one, of which the first is the one to sign with. */
export type SigningKeys = readonly [Uint8Array, ...(readonly Uint8Array[])];

/** Key material: a key in each line that is not empty. */
export function signingKeys(bytesMin: number): OptionType<SigningKeys> {
  return {
    allowed: `text of at least ${bytesMin} bytes, or several of them, one a line`,
    fault: 'is too short',
    advice: '"openssl rand -base64 48" makes one',
    parse: (text) => {
      const lines = text.split(/\r?\n/).filter((line) => line !== '');
      const [first, ...more] = lines.map((line) => new TextEncoder().encode(line));
      if (first === undefined || [first, ...more].some(({ length }) => length < bytesMin)) return undefined;
      return [first, ...more];
    },
    format: () => '(secret)',
  };
}

/** `text` in milliseconds: a number with `ms`, `s`, `m` or `h`; undefined if it is none. */
export function milliseconds(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h'];
}

/** Milliseconds as people write them: `90s`, `24h`. */
export function formatMilliseconds(ms: number): string {
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

function formatBytes(count: number): string {
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (count >= size && count % size === 0) return `${count / size}${unit}`;
  }
  return String(count);
}

/** The suffixes of Kubernetes quantities, without the decimal ones that nobody uses for memory. */
function bytes(text: string): number | undefined {
  const match = /^(\d+)(Ki|Mi|Gi|k|M|G)?$/.exec(text);
  if (match === null) return undefined;
  const sizes: Readonly<Record<string, number>> = {
    ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
    ...{ k: 1e3, M: 1e6, G: 1e9 },
  };
  return Number(match[1]) * (sizes[match[2] ?? ''] ?? 1);
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function parsePairs(text: string): Readonly<Record<string, string>> | undefined {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  const entries = parts.map((part) => /^\s*([!-+\--<>-~]+?)\s*=\s*([^\0\r\n]*?)\s*$/.exec(part));
  if (parts.length === 0) return undefined;
  try {
    const found: [string, string][] = [];
    for (const entry of entries) {
      if (entry === null) return undefined;
      found.push([decodeURIComponent(entry[1] ?? ''), decodeURIComponent(entry[2] ?? '')]);
    }
    return Object.fromEntries(found);
  } catch {
    return undefined;
  }
}

function bucketAddress(text: string): StoreAddress | undefined {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/-]{0,256}))?$/.exec(text);
  const [, bucket, path = ''] = match ?? [];
  if (bucket === undefined) return undefined;
  const prefix = path.replace(/\/$/, '');
  const plain = prefix.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (prefix === '') return { kind: 's3', bucket, prefix };
  return plain ? { kind: 's3', bucket, prefix: `${prefix}/` } : undefined;
}
