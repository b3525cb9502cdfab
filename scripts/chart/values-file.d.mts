/** A key of a values file. */
export interface Key {
  readonly path: readonly string[];
  readonly description: string;
  readonly directives: readonly { readonly name: string; readonly text: string }[];
  readonly section: string;
  /** What is below it is its default. */
  readonly leaf: boolean;
}

/** The keys in their order. Throws when a key has no description. */
export function readKeys(text: string): readonly Key[];
