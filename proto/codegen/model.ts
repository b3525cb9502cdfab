/*
 * What the emitters need to know of the API, read once from the image: messages, enums, methods with their
 * routes and policies, comments. Anything in a proto that no emitter understands is an error here, never left
 * out in silence.
 */
import {
  createFileRegistry,
  getOption,
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
} from '@bufbuild/protobuf';
import type { FileDescriptorSet } from '@bufbuild/protobuf/wkt';
import { Comments } from './comments.js';

export interface Api {
  readonly registry: FileRegistry;
  readonly comments: Comments;
  /** Messages of `omendb.v1`, map entries left out, in the order of files and declarations. */
  readonly messages: readonly DescMessage[];
  readonly enums: readonly DescEnum[];
  readonly methods: readonly ApiMethod[];
}

/** One RPC with everything its options say. */
export interface ApiMethod {
  readonly desc: DescMethod;
  readonly verb: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  /** Path template of google.api.http, such as `/v1/collections/{collection}`. */
  readonly path: string;
  readonly pathFields: readonly DescField[];
  readonly hasBody: boolean;
  /**
   * Request fields that travel in the query string: all that are not in the path, for a method without body.
   */
  readonly queryFields: readonly DescField[];
  readonly scope: string;
  readonly readOnly: boolean;
  readonly idempotent: boolean;
  readonly public: boolean;
  /** Fields that name the collections a call works on or makes. */
  readonly collectionFields: readonly DescField[];
  readonly requestIdField: DescField | undefined;
}

/** What a broken rule of a field is called. */
export interface FieldReasons {
  readonly reason: string;
  readonly empty: string;
  readonly item: string;
}

const PACKAGE = 'omendb.v1';

export function readApi(image: FileDescriptorSet): Api {
  const registry = createFileRegistry(image);
  const messages: DescMessage[] = [];
  const enums: DescEnum[] = [];
  const methods: ApiMethod[] = [];
  for (const { name } of image.file) {
    const file = registry.getFile(name);
    if (file === undefined || file.proto.package !== PACKAGE) continue;
    messages.push(...file.messages.flatMap(withNested));
    enums.push(...file.enums);
    for (const service of file.services) {
      for (const method of service.methods) methods.push(readMethod(registry, method));
    }
  }
  return { registry, comments: new Comments(image), messages, enums, methods };
}

/** The reasons that the options of a field give to broken rules. */
export function fieldReasons(registry: FileRegistry, field: DescField): FieldReasons {
  const policy = option(field, extension(registry, 'omendb.options.v1.field')) as Partial<{
    reason: string;
    emptyReason: string;
    itemReason: string;
  }>;
  const reason = policy.reason || 'INVALID_ARGUMENT';
  return { reason, empty: policy.emptyReason || reason, item: policy.itemReason || reason };
}

/** The `buf.validate` rules of a field. */
export function fieldRules(registry: FileRegistry, field: DescField): FieldRules {
  return option(field, extension(registry, 'buf.validate.field')) as unknown as FieldRules;
}

/** Whether exactly one member of the oneof must be set. */
export function oneofRequired(registry: FileRegistry, oneof: DescMessage['oneofs'][number]): boolean {
  const rules = getOption(oneof, extension(registry, 'buf.validate.oneof') as DescExtension) as {
    required?: boolean;
  };
  return rules.required === true;
}

/** The shape of `buf.validate.FieldRules` as far as it is used here. */
export interface FieldRules {
  readonly required: boolean;
  readonly ignore: number;
  readonly cel: readonly unknown[];
  readonly type: { readonly case: string | undefined; readonly value?: RuleValues };
}

/** Rules of one type: set rules by their local names. */
export type RuleValues = Readonly<Record<string, unknown>> & { readonly $typeName: string };

/** Names of the rules that are set, with their values. */
export function rulesSet(registry: FileRegistry, values: RuleValues): Map<string, unknown> {
  const message = registry.getMessage(values.$typeName);
  if (message === undefined) throw new Error(`no message ${values.$typeName}`);
  const set = new Map<string, unknown>();
  for (const field of message.fields) {
    const holder = field.oneof === undefined ? values : (values[field.oneof.localName] as OneofValue);
    if (field.oneof !== undefined) {
      const chosen = holder as OneofValue;
      if (chosen.case === field.localName) set.set(field.localName, chosen.value);
      continue;
    }
    const value = values[field.localName];
    // Fields with presence live on the prototype until they are set.
    const isSet =
      field.presence === 2
        ? Array.isArray(value) && value.length > 0
        : Object.hasOwn(values, field.localName);
    if (isSet && !(Array.isArray(value) && value.length === 0)) set.set(field.localName, value);
  }
  return set;
}

interface OneofValue {
  readonly case: string | undefined;
  readonly value?: unknown;
}

function withNested(message: DescMessage): DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}

function readMethod(registry: FileRegistry, desc: DescMethod): ApiMethod {
  const where = `${desc.parent.typeName}.${desc.name}`;
  if (desc.methodKind !== 'unary') throw new Error(`${where}: streaming methods are not generated`);
  const http = option(desc, extension(registry, 'google.api.http')) as unknown as HttpRule;
  const verb = http.pattern.case?.toUpperCase();
  if (verb !== 'GET' && verb !== 'POST' && verb !== 'PATCH' && verb !== 'DELETE' && verb !== 'PUT') {
    throw new Error(`${where}: no google.api.http route`);
  }
  if (http.body !== '' && http.body !== '*') throw new Error(`${where}: only body "*" is generated`);
  const policy = option(desc, extension(registry, 'omendb.options.v1.method')) as unknown as MethodPolicy;
  if ((policy.scope === '') !== policy.public) throw new Error(`${where}: needs a scope or public, not both`);
  const path = http.pattern.value;
  const pathNames = [...path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1] ?? '');
  const find = (name: string): DescField => {
    const field = desc.input.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new Error(`${where}: ${desc.input.name} has no field ${name}`);
    return field;
  };
  const requestId = desc.input.fields.find((field) => field.name === 'request_id');
  if (!policy.readOnly && requestId === undefined)
    throw new Error(`${where}: a write needs the field request_id`);
  const { collectionField, newCollectionField } = policy;
  const collectionFields = [collectionField, newCollectionField].filter((name) => name !== '').map(find);
  for (const field of desc.input.fields.filter((candidate) => namesCollection(registry, candidate))) {
    // Otherwise a credential limited to some collections would reach others through it.
    if (!collectionFields.includes(field))
      throw new Error(`${where}: ${field.name} names a collection and is not in the method's options`);
  }
  const hasBody = http.body === '*';
  return {
    desc,
    verb,
    path,
    pathFields: pathNames.map(find),
    hasBody,
    queryFields: hasBody ? [] : desc.input.fields.filter((field) => !pathNames.includes(field.name)),
    scope: policy.scope,
    readOnly: policy.readOnly,
    idempotent: policy.idempotent,
    public: policy.public,
    collectionFields,
    requestIdField: requestId,
  };
}

function namesCollection(registry: FileRegistry, field: DescField): boolean {
  return fieldReasons(registry, field).reason === 'INVALID_COLLECTION_NAME';
}

interface HttpRule {
  readonly pattern: { readonly case: string | undefined; readonly value: string };
  readonly body: string;
}

interface MethodPolicy {
  readonly scope: string;
  readonly readOnly: boolean;
  readonly idempotent: boolean;
  readonly collectionField: string;
  readonly newCollectionField: string;
  readonly public: boolean;
}

function extension(registry: FileRegistry, name: string): DescExtension {
  const found = registry.getExtension(name);
  if (found === undefined) throw new Error(`no extension ${name} in the image`);
  return found;
}

function option(desc: DescField | DescMethod, found: DescExtension): object {
  return getOption(desc, found) as object;
}
