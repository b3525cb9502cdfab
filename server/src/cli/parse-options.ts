/*
 * Options of one command, with errors that say what is wrong in one sentence.
 */
import { parseArgs } from 'node:util';

/** The command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads options. Throws `UsageError`. */
export function parseOptions<
  const O extends NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>,
>(
  args: readonly string[],
  options: O,
  positionalsMax: number,
): ReturnType<typeof parseArgs<{ args: string[]; options: O; strict: true; allowPositionals: true }>> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    // Node's message goes on with advice about positional arguments that does not fit here.
    throw new UsageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
  const extra = parsed.positionals[positionalsMax];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many`);
  return parsed;
}
