/** Causes of causes that are told. */
const CAUSES_MAX = 5;
/** Of several failures at once, such as those to reach each address of a host. */
const PARTS_MAX = 3;

/** An error as the log tells it. */
export interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  /** Of our own errors. */
  readonly reason?: string;
  /** Of errors of the system, such as `ECONNREFUSED`. */
  readonly code?: string;
  readonly cause?: DescribedError | string;
  readonly parts?: readonly (DescribedError | string)[];
}

/**
 * Facts of an error by name, and nothing else that hangs on it: libraries hang requests with their headers on
 * their errors.
 */
export function describeError(error: unknown, depth = 0): DescribedError | string {
  if (!(error instanceof Error))
    return typeof error === 'string' ? error : `something of type ${typeof error}`;
  const { reason, code, errors } = error as {
    readonly reason?: unknown;
    readonly code?: unknown;
    readonly errors?: unknown;
  };
  return {
    type: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause === undefined || depth === CAUSES_MAX
      ? {}
      : { cause: describeError(error.cause, depth + 1) }),
    ...(Array.isArray(errors) && depth < CAUSES_MAX
      ? { parts: errors.slice(0, PARTS_MAX).map((part) => describeError(part, CAUSES_MAX)) }
      : {}),
  };
}
