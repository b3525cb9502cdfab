/*
 * The collections that a command is about: all of them, or some by tenant and name.
 */
import { OmenError } from '../../core/errors.js';
import type { CollectionName, TenantId } from '../../core/ids.js';
import { parseCollectionName, parseTenantId } from '../../core/ids.js';
import type { Catalog, LivingCollection } from '../log/catalog.js';

export interface QualifiedName {
  readonly tenant: TenantId;
  readonly name: CollectionName;
}

export class CollectionSelection {
  /** @param names Empty: all. */
  constructor(readonly names: readonly QualifiedName[]) {}

  /** Reads names such as `acme/words`. Throws `INVALID_ARGUMENT` and what a wrong part is refused with. */
  static parse(texts: readonly string[]): CollectionSelection {
    return new CollectionSelection(
      texts.map((text) => {
        const [tenant = '', name = '', ...rest] = text.split('/');
        if (name === '' || rest.length > 0) {
          throw new OmenError('INVALID_ARGUMENT', `"${text}" must be a tenant and a collection: acme/words`);
        }
        return { tenant: parseTenantId(tenant), name: parseCollectionName(name) };
      }),
    );
  }

  get isAll(): boolean {
    return this.names.length === 0;
  }

  /** Throws `COLLECTION_NOT_FOUND` when one that was named does not exist. */
  async of(catalog: Catalog): Promise<LivingCollection[]> {
    const found: LivingCollection[] = [];
    if (this.isAll) for await (const living of catalog.living()) found.push(living);
    for (const { tenant, name } of this.names) {
      const entry = await catalog.get(tenant, name);
      if (entry === null) throw notFound({ tenant, name }, 'the store');
      found.push({ tenant, entry });
    }
    return found;
  }

  /** Those of `all` that are meant. Throws `COLLECTION_NOT_FOUND`, saying `where` one is missing. */
  from<T extends { readonly tenant: TenantId; readonly schema: { readonly name: string } }>(
    all: readonly T[],
    where: string,
  ): readonly T[] {
    if (this.isAll) return all;
    return this.names.map((wanted) => {
      const found = all.find(({ tenant, schema }) => tenant === wanted.tenant && schema.name === wanted.name);
      if (found === undefined) throw notFound(wanted, where);
      return found;
    });
  }
}

function notFound({ tenant, name }: QualifiedName, where: string): OmenError {
  return new OmenError('COLLECTION_NOT_FOUND', `there is no collection "${tenant}/${name}" in ${where}`);
}
