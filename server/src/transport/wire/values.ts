/*
 * Attributes between the wire and the application.
 */
import type { RecordPatch } from '../../app/api.js';
import type { AttributeScalar, AttributeValue, Attributes } from '../../core/record/record.js';
import type * as pb from '../../gen/messages.js';

const NO_ATTRIBUTES: Attributes = new Map();

/** Attributes of a record that is written whole: null means absent. */
export function attributesFromWire(values: ReadonlyMap<string, pb.Value>): Attributes {
  if (values.size === 0) return NO_ATTRIBUTES;
  const attributes = new Map<string, AttributeValue>();
  for (const [name, value] of values) {
    const converted = valueFromWire(value);
    if (converted !== null) attributes.set(name, converted);
  }
  return attributes;
}

/** Attributes of a patch: null removes. */
export function patchFromWire(values: ReadonlyMap<string, pb.Value>): RecordPatch['attributes'] {
  return new Map([...values].map(([name, value]) => [name, valueFromWire(value)]));
}

export function attributesToWire(attributes: Attributes): Map<string, pb.Value> {
  const values = new Map<string, pb.Value>();
  for (const [name, value] of attributes) values.set(name, valueToWire(value));
  return values;
}

export function scalarFromWire(scalar: pb.Scalar | undefined): AttributeScalar {
  // The validators let no scalar without a value through.
  return scalar?.kind?.value ?? '';
}

function valueFromWire(value: pb.Value): AttributeValue | null {
  const { kind } = value;
  switch (kind?.$case) {
    case 'stringValue':
    case 'intValue':
    case 'doubleValue':
    case 'boolValue':
      return kind.value;
    case 'stringList':
    case 'intList':
    case 'doubleList':
    case 'boolList':
      return kind.value.values;
    case 'nullValue':
    case undefined:
      return null;
  }
}

function valueToWire(value: AttributeValue): pb.Value {
  switch (typeof value) {
    case 'string':
      return { kind: { $case: 'stringValue', value } };
    case 'bigint':
      return { kind: { $case: 'intValue', value } };
    case 'number':
      return { kind: { $case: 'doubleValue', value } };
    case 'boolean':
      return { kind: { $case: 'boolValue', value } };
    default:
      return listToWire(value);
  }
}

/** All elements are of one kind, so the first one tells it. An empty list is one of text. */
function listToWire(list: Extract<AttributeValue, readonly unknown[]>): pb.Value {
  switch (typeof list[0]) {
    case 'bigint':
      return { kind: { $case: 'intList', value: { values: list as bigint[] } } };
    case 'number':
      return { kind: { $case: 'doubleList', value: { values: list as number[] } } };
    case 'boolean':
      return { kind: { $case: 'boolList', value: { values: list as boolean[] } } };
    default:
      return { kind: { $case: 'stringList', value: { values: list as string[] } } };
  }
}
