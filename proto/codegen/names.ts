/**
 * How things of the API are called in generated TypeScript, and which messages have a JSON form of their own.
 */
import type { DescEnum, DescEnumValue, DescField, DescMessage } from '@bufbuild/protobuf';

/** A message whose JSON form is written by hand, in `runtime/`. */
export interface CustomJson {
  readonly module: string;
  readonly read: string;
  readonly write: string;
}

export const TIMESTAMP = 'google.protobuf.Timestamp';

export const CUSTOM_JSON: ReadonlyMap<string, CustomJson> = new Map([
  ['omendb.v1.Vector', { module: 'vector', read: 'vectorFromJson', write: 'vectorToJson' }],
  ['omendb.v1.Value', { module: 'value', read: 'valueFromJson', write: 'valueToJson' }],
  ['omendb.v1.Attributes', { module: 'value', read: 'attributesFromJson', write: 'attributesToJson' }],
  ['omendb.v1.Filter', { module: 'filter', read: 'filterFromJson', write: 'filterToJson' }],
  [TIMESTAMP, { module: 'scalars', read: 'readTimestamp', write: 'timestampToJson' }],
]);

/** Messages whose fields add nothing to a path, because their JSON form has no such field. */
export const TRANSPARENT: ReadonlySet<string> = new Set(
  [
    'Vector',
    'FloatList',
    'Value',
    'StringList',
    'Int64List',
    'DoubleList',
    'BoolList',
    'Attributes',
    'Scalar',
  ].map((name) => `omendb.v1.${name}`),
);

/** `QueryRequest` → `queryRequest`. */
export function camel(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** `METRIC_L2` → `L2`. */
export function enumValueName(desc: DescEnum, value: DescEnumValue): string {
  const prefix = desc.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  return value.name.startsWith(`${prefix}_`) ? value.name.slice(prefix.length + 1) : value.name;
}

/** `METRIC_L2` → `l2`. */
export function enumJsonName(desc: DescEnum, value: DescEnumValue): string {
  return enumValueName(desc, value).toLowerCase();
}

/** The values a request may name: all but the zero value. */
export function enumJsonValues(desc: DescEnum): DescEnumValue[] {
  return desc.values.filter((value) => value.number !== 0);
}

/** The message of a field, of its list elements or of its map values. */
export function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'message' || field.fieldKind === 'list' || field.fieldKind === 'map'
    ? field.message
    : undefined;
}

/**
 * The messages that have JSON fields of their own and can be reached from `roots`, each after those it is
 * first used by.
 */
export function reachable(roots: readonly DescMessage[]): DescMessage[] {
  const found = new Set<DescMessage>();
  const visit = (message: DescMessage): void => {
    if (found.has(message) || CUSTOM_JSON.has(message.typeName)) return;
    found.add(message);
    for (const field of message.fields) {
      const below = messageOf(field);
      if (below !== undefined) visit(below);
    }
  };
  for (const root of roots) visit(root);
  return [...found];
}
