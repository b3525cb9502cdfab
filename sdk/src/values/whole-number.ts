/* Numbers that the wire keeps in 32 bits without a sign. */
import { invalidArgument } from '../errors.js';

const UINT32_MAX = 0xffff_ffff;

/**
 * The number as it was given. Throws `InvalidArgumentError` when the wire cannot hold it; `field` names its
 * place in the request. What a method allows within that is the server's to say.
 */
export function wholeNumber<T extends number | undefined>(value: T, field: string): T {
  const given: unknown = value;
  if (given === undefined) return value;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= UINT32_MAX) return value;
  const seen = typeof given === 'number' ? String(given) : given === null ? 'null' : `a ${typeof given}`;
  throw invalidArgument(
    'INVALID_ARGUMENT',
    field,
    `must be a whole number from 0 to ${UINT32_MAX}, is ${seen}`,
  );
}
