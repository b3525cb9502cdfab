/**
 * Something that the person who started the command can put right. Shown as its message alone, exit code 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
