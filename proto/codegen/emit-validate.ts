/**
 * Validators: the `buf.validate` rules as plain TypeScript over ts-proto's messages. A rule that is not
 * understood stops the generator.
 */
import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { enumJsonName, messageOf, TRANSPARENT } from './names.js';
import { fieldReasons, fieldRules, oneofRequired, rulesSet, type Api, type RuleValues } from './model.js';
import type { GeneratedFile } from './output.js';

/** Checks beyond rules, where a message of this type is a field of another file's message. */
const EXTRA_CHECKS: ReadonlyMap<string, { readonly name: string; readonly module: string }> = new Map([
  ['omendb.v1.Filter', { name: 'checkFilterSize', module: 'filter' }],
]);

type ReasonOf = 'field' | 'item';

export function emitValidate(api: Api): GeneratedFile {
  return new ValidatorEmitter(api).file();
}

class ValidatorEmitter {
  /** Rule objects by their text, so that equal rules are one constant. */
  readonly #constants = new Map<string, string>();
  readonly #checked: ReadonlySet<DescMessage>;

  constructor(private readonly api: Api) {
    this.#checked = this.#messagesWithChecks();
  }

  file(): GeneratedFile {
    const requests = new Set(this.api.methods.map((method) => method.desc.input));
    const wanted = this.#below(requests);
    const functions = this.api.messages
      .filter((message) => wanted.has(message))
      .map((message) => this.#message(message));
    const constants = [...this.#constants].map(([text, name]) => `const ${name} = ${text};`);
    const body = functions.join('\n');
    const helpers = ['checkText', 'checkBytes', 'checkCount', 'checkNumber', 'checkEnum', 'missing'];
    const used = helpers.filter((name) => body.includes(`${name}(`));
    const content = `/* Validators of requests: what \`buf.validate\` says in the protos. */
import type * as pb from './messages.js';
import { ${used.join(', ')} } from './runtime/check.js';
import { checkFilterSize } from './runtime/filter.js';
import type { Place, Step } from './runtime/place.js';

${constants.join('\n')}
${body}`;
    return { path: 'validate.ts', content };
  }

  /** Requests, and below them every message with something to check. */
  #below(requests: ReadonlySet<DescMessage>): Set<DescMessage> {
    const found = new Set<DescMessage>();
    const visit = (message: DescMessage): void => {
      if (found.has(message)) return;
      found.add(message);
      for (const field of message.fields) {
        const below = messageOf(field);
        if (below !== undefined && this.#checked.has(below)) visit(below);
      }
    };
    for (const request of requests) visit(request);
    return found;
  }

  #messagesWithChecks(): Set<DescMessage> {
    const checked = new Set<DescMessage>();
    for (let before = -1; before !== checked.size;) {
      before = checked.size;
      for (const message of this.api.messages) {
        const own = message.fields.some((field) => {
          const rules = fieldRules(this.api.registry, field);
          return rules.required || rules.type.case !== undefined || checked.has(messageOf(field) ?? message);
        });
        if (own || message.oneofs.some((oneof) => oneofRequired(this.api.registry, oneof)))
          checked.add(message);
      }
    }
    return checked;
  }

  #message(message: DescMessage): string {
    const lines: string[] = [];
    const oneofs = new Set<DescOneof>();
    for (const field of message.fields) {
      if (field.oneof === undefined || field.proto.proto3Optional) lines.push(this.#field(field));
      else if (!oneofs.has(field.oneof)) {
        oneofs.add(field.oneof);
        lines.push(this.#oneof(field.oneof));
      }
    }
    const code = lines.filter((line) => line !== '').join('\n');
    const name = `check${message.name}`;
    if (code === '')
      return `\nexport function ${name}(_message: pb.${message.name}, _at: Place, _step: Step): void {}\n`;
    return `
export function ${name}(message: pb.${message.name}, at: Place, step: Step): void {
  at.enter(step);
  ${code}
  at.leave();
}
`;
  }

  #oneof(oneof: DescOneof): string {
    const value = `message.${oneof.localName}`;
    const cases: string[] = [];
    for (const field of oneof.fields) {
      const code = this.#value(field, `${value}.value`);
      if (code !== '') cases.push(`case '${field.localName}': ${code} break;`);
    }
    const names = oneof.fields.map((field) => field.jsonName).join(', ');
    const reason = oneof.parent.name === 'Vector' ? 'INVALID_VECTOR' : 'INVALID_ARGUMENT';
    const missing = oneofRequired(this.api.registry, oneof)
      ? `if (${value} === undefined) {\nat.report('${this.#oneofReason(oneof) ?? reason}', 'must have one of ${names}');\n}`
      : '';
    const checks = cases.length === 0 ? '' : `switch (${value}?.$case) { ${cases.join('\n')} }`;
    return missing !== '' && checks !== '' ? `${missing}\n${checks}` : missing + checks;
  }

  #oneofReason(oneof: DescOneof): string | undefined {
    for (const field of oneof.fields) {
      const { reason } = fieldReasons(this.api.registry, field);
      if (reason !== 'INVALID_ARGUMENT') return reason;
    }
    return undefined;
  }

  #field(field: DescField): string {
    const value = `message.${field.localName}`;
    const code = this.#value(field, value);
    const optional = field.fieldKind === 'message' || field.proto.proto3Optional === true;
    if (!optional) return code;
    const rules = fieldRules(this.api.registry, field);
    const { reason } = fieldReasons(this.api.registry, field);
    const missing = rules.required ? `missing(at, '${field.jsonName}', '${reason}');` : '';
    if (code === '') return missing === '' ? '' : `if (${value} === undefined) ${missing}`;
    if (missing === '') return `if (${value} !== undefined) { ${code} }`;
    return `if (${value} === undefined) ${missing} else { ${code} }`;
  }

  /** Code that checks the value of a field, which is there. */
  #value(field: DescField, value: string): string {
    const where = `${field.parent.typeName}.${field.name}`;
    const rules = fieldRules(this.api.registry, field);
    if (rules.cel.length > 0 || rules.ignore !== 0)
      throw new Error(`${where}: cel and ignore are not understood`);
    const step = TRANSPARENT.has(field.parent.typeName) ? `''` : `'${field.jsonName}'`;
    if (field.fieldKind === 'list') return this.#list(field, value, step);
    if (field.fieldKind === 'map') return this.#map(field, value, step);
    if (field.fieldKind === 'message') {
      if (rules.type.case !== undefined)
        throw new Error(`${where}: ${rules.type.case} rules are not understood`);
      return this.#nested(field, value, step);
    }
    if (rules.required && !field.proto.proto3Optional)
      throw new Error(`${where}: write a length rule, not required`);
    return this.#scalar(field, rules.type, value, step, 'field');
  }

  #nested(field: DescField, value: string, step: string): string {
    const message = messageOf(field);
    if (message === undefined || !this.#checked.has(message)) return '';
    const extra = EXTRA_CHECKS.get(message.typeName);
    const size =
      extra !== undefined && field.parent.file !== message.file
        ? `${extra.name}(${value}, at, ${step});`
        : '';
    return `${size} check${message.name}(${value}, at, ${step});`;
  }

  #list(field: DescField, value: string, step: string): string {
    const rules = fieldRules(this.api.registry, field);
    const set = this.#rulesOf(field, 'repeated', ['minItems', 'maxItems', 'items']);
    const count = this.#count(field, set, 'minItems', 'maxItems', `${value}.length`, step);
    const items = set.get('items') as
      { readonly type: { readonly case?: string; readonly value?: RuleValues } } | undefined;
    const item = messageOf(field)
      ? this.#nested(field, 'item', 'i')
      : this.#scalar(field, items?.type ?? { case: undefined }, 'item', 'i', 'item');
    if (rules.required)
      throw new Error(`${field.parent.typeName}.${field.name}: write min_items, not required`);
    if (item === '') return count;
    const each = `const item = ${value}[i];\nif (item === undefined) continue;\n${item}`;
    return `${count}\nat.enter(${step});\nfor (let i = 0; i < ${value}.length; i++) { ${each} }\nat.leave();`;
  }

  #map(field: DescField, value: string, step: string): string {
    const set = this.#rulesOf(field, 'map', ['minPairs', 'maxPairs', 'keys']);
    const count = this.#count(field, set, 'minPairs', 'maxPairs', `${value}.size`, step);
    const keys = set.get('keys') as
      { readonly type: { readonly case?: string; readonly value?: RuleValues } } | undefined;
    const key = keys === undefined ? '' : this.#scalar(field, keys.type, 'key', 'key', 'item');
    const item = this.#nested(field, 'item', 'key');
    if (key === '' && item === '') return count;
    const pattern = item === '' ? `const key of ${value}.keys()` : `const [key, item] of ${value}`;
    return `${count}\nat.enter(${step});\nfor (${pattern}) { ${key} ${item} }\nat.leave();`;
  }

  #count(
    field: DescField,
    set: Map<string, unknown>,
    min: string,
    max: string,
    size: string,
    step: string,
  ): string {
    const limits: string[] = [];
    if (set.has(min)) limits.push(`min: ${String(set.get(min))}`);
    if (set.has(max)) limits.push(`max: ${String(set.get(max))}`);
    if (limits.length === 0) return '';
    return `checkCount(${size}, at, ${step}, ${this.#constant(field, limits, 'field')});`;
  }

  #rulesOf(field: DescField, kind: string, understood: readonly string[]): Map<string, unknown> {
    const { type } = fieldRules(this.api.registry, field);
    if (type.case === undefined || type.value === undefined) return new Map();
    if (type.case !== kind)
      throw new Error(`${field.parent.typeName}.${field.name}: ${type.case} rules on a ${kind} field`);
    const set = rulesSet(this.api.registry, type.value);
    for (const name of set.keys()) {
      if (!understood.includes(name))
        throw new Error(`${field.parent.typeName}.${field.name}: rule ${name} is not understood`);
    }
    return set;
  }

  #scalar(
    field: DescField,
    type: { readonly case?: string | undefined; readonly value?: RuleValues },
    value: string,
    step: string,
    of: ReasonOf,
  ): string {
    if (type.case === undefined || type.value === undefined) return '';
    const set = rulesSet(this.api.registry, type.value);
    const rules: string[] = [];
    if (type.case === 'enum') return this.#enum(field, set, value, step);
    const check = {
      string: 'checkText',
      bytes: 'checkBytes',
      uint32: 'checkNumber',
      int64: 'checkNumber',
      double: 'checkNumber',
    }[type.case];
    if (check === undefined)
      throw new Error(`${field.parent.typeName}.${field.name}: ${type.case} rules are not understood`);
    const known: readonly string[] = {
      checkText: ['minLen', 'maxLen', 'minBytes', 'maxBytes', 'pattern'],
      checkBytes: ['minLen', 'maxLen'],
      checkNumber: ['gte', 'lte', 'gt', 'lt', 'finite'],
    }[check] as readonly string[];
    for (const [name, rule] of set) {
      if (!known.includes(name))
        throw new Error(`${field.parent.typeName}.${field.name}: rule ${name} is not understood`);
      rules.push(`${name}: ${this.#ruleText(name, rule, type.case)}`);
    }
    return rules.length === 0 ? '' : `${check}(${value}, at, ${step}, ${this.#constant(field, rules, of)});`;
  }

  #ruleText(name: string, rule: unknown, kind: string): string {
    if (name === 'pattern') return `new RegExp(${JSON.stringify(rule)}, 'u')`;
    return typeof rule === 'bigint' && kind === 'int64' ? `${rule}n` : String(rule);
  }

  #enum(field: DescField, set: Map<string, unknown>, value: string, step: string): string {
    const desc = field.enum;
    if (desc === undefined) throw new Error(`${field.name}: enum rules on another type`);
    for (const name of set.keys()) {
      if (name !== 'definedOnly' && name !== 'notIn')
        throw new Error(`${field.name}: rule ${name} is not understood`);
    }
    if (set.get('definedOnly') !== true) throw new Error(`${field.name}: write defined_only`);
    const banned = (set.get('notIn') ?? []) as readonly number[];
    const allowed = desc.values.filter(({ number }) => !banned.includes(number));
    const names = allowed.filter(({ number }) => number !== 0).map((entry) => enumJsonName(desc, entry));
    const rules = [
      `allowed: new Set([${allowed.map(({ number }) => number).join(', ')}])`,
      `names: '${names.join(', ')}'`,
    ];
    return `checkEnum(${value}, at, ${step}, ${this.#constant(field, rules, 'field')});`;
  }

  #constant(field: DescField, rules: readonly string[], of: ReasonOf): string {
    const reasons = fieldReasons(this.api.registry, field);
    const pair = of === 'field' ? [reasons.reason, reasons.empty] : [reasons.item, reasons.item];
    const text = `{ ${[...rules, `reason: '${pair[0]}'`, `empty: '${pair[1]}'`].join(', ')} }`;
    const name = this.#constants.get(text) ?? `RULES_${this.#constants.size + 1}`;
    this.#constants.set(text, name);
    return name;
  }
}
