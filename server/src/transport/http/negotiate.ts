/*
 * Which of the two encodings a body has, and which one the answer gets.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { OmenError } from '../../core/errors.js';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json; charset=utf-8';

export type Encoding = 'protobuf' | 'json';

/** The encoding of a body. Throws `UNSUPPORTED_MEDIA_TYPE`. */
export function encodingOfBody(headers: IncomingHttpHeaders): Encoding {
  const type = headers['content-type'];
  const compression = headers['content-encoding'];
  if (compression !== undefined && compression !== 'identity') {
    throw new OmenError(
      'UNSUPPORTED_MEDIA_TYPE',
      `the content encoding "${clip(compression)}" is not supported: send the body as it is`,
    );
  }
  const encoding = type === undefined ? undefined : encodingOfType(type);
  if (encoding !== undefined) return encoding;
  const seen =
    type === undefined ? 'the content type is missing' : `the content type "${clip(type)}" is not supported`;
  throw new OmenError('UNSUPPORTED_MEDIA_TYPE', `${seen}: use application/json or ${PROTOBUF}`);
}

/** What the client wants to read; when it does not say, what it wrote. */
export function encodingOfAnswer(headers: IncomingHttpHeaders): Encoding {
  const accept = headers.accept;
  if (accept === PROTOBUF) return 'protobuf';
  if (accept !== undefined) {
    // Weights are not looked at: who names protobuf can read it.
    if (/application\/(x-)?protobuf/i.test(accept)) return 'protobuf';
    if (/json/i.test(accept)) return 'json';
  }
  const type = headers['content-type'];
  return (type === undefined ? undefined : encodingOfType(type)) ?? 'json';
}

function encodingOfType(type: string): Encoding | undefined {
  if (type === PROTOBUF) return 'protobuf';
  if (type === 'application/json') return 'json';
  const [essence = '', ...parameters] = type
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (essence === PROTOBUF || essence === 'application/protobuf') return 'protobuf';
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  return essence === 'application/json' && (charset ?? 'utf-8') === 'utf-8' ? 'json' : undefined;
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
