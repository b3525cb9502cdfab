import type { TenantId } from '../../core/ids.js';
import type { CollectionPattern } from './collection-pattern.js';

/** Grants every scope. */
export const ALL_SCOPES = '*';

/** Who a credential stands for and what it allows. */
export interface Identity {
  readonly tenant: TenantId;
  /** Key or user, for logs and rate limits. */
  readonly subject: string;
  /** May hold `ALL_SCOPES`. */
  readonly scopes: ReadonlySet<string>;
  /** Collections it covers; null: all of the tenant's. */
  readonly collections: CollectionPattern | null;
}
