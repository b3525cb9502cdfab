// The schema of the chart's values, from the comments and defaults of values.yaml, the option table, the
// alerts and the API of Kubernetes. Unknown keys are refused at every level. Draft 7, which every Helm
// understands.

/** Values of the prometheus operator that users may give, by name of its type. */
const OPERATOR_TYPES = {
  RelabelConfig: {
    type: 'object',
    additionalProperties: false,
    properties: {
      action: { type: 'string' },
      modulus: { type: 'integer' },
      regex: { type: 'string' },
      replacement: { type: 'string' },
      separator: { type: 'string' },
      sourceLabels: { type: 'array', items: { type: 'string' } },
      targetLabel: { type: 'string' },
    },
  },
};

/** As Kubernetes reads them, but for negative ones, which no value of the chart can use. */
const QUANTITY = {
  type: ['string', 'number'],
  pattern: '^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][0-9]+)?$',
  minimum: 0,
};

const DURATION = { type: 'string', pattern: '^[0-9]+(s|m|h|d)$' };

/**
 * The schema as data. `keys` as `readKeys` gives them, `defaults` the values themselves, `settings` as
 * `chartSettings` gives them, `alerts` the names of all alerts, `kubernetes` the definitions of its API.
 */
export function valuesSchema({ keys, defaults, settings, alerts, kubernetes }) {
  const definitions = {};
  const known = { settings, alerts, define: (type) => define(type, kubernetes, definitions) };
  const root = { type: 'object', additionalProperties: false, properties: {} };
  for (const key of keys) {
    const parent = key.path.slice(0, -1).reduce((schema, name) => schema.properties[name], root);
    parent.properties[key.path.at(-1)] = key.leaf
      ? leafSchema(key, valueAt(defaults, key.path), known)
      : { description: key.description, type: 'object', additionalProperties: false, properties: {} };
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart omendb',
    ...root,
    definitions: Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

export function valueAt(values, path) {
  return path.reduce((value, name) => value?.[name], values);
}

function leafSchema({ path, description, directives }, value, known) {
  const schema = { description, ...inferred(value) };
  for (const { name, text } of directives) {
    if (name === 'schema') Object.assign(schema, JSON.parse(text));
    else if (name === 'items') schema.items = JSON.parse(text);
    else if (name === 'map') schema.additionalProperties = text === 'quantity' ? QUANTITY : { type: text };
    else if (name === 'kube') Object.assign(schema, kubeSchema(text, known));
    else if (name === 'settings') Object.assign(schema, settingsSchema(known.settings));
    else if (name === 'alerts') Object.assign(schema, alertsSchema(known.alerts));
    else throw new Error(`values.yaml: ${path.join('.')} has an unknown directive @${name}`);
  }
  if (schema.$ref !== undefined) return { $ref: schema.$ref };
  if (schema.type === undefined && schema.enum === undefined) {
    throw new Error(`values.yaml: ${path.join('.')} has no type`);
  }
  if (schema.type === 'array' && schema.items === undefined) {
    throw new Error(`values.yaml: ${path.join('.')} does not say what it lists`);
  }
  return schema;
}

function inferred(value) {
  if (value === null || value === undefined) return {};
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'integer' : 'number' };
  if (typeof value === 'object') return { type: 'object', additionalProperties: false };
  return { type: typeof value };
}

function kubeSchema(text, known) {
  const isList = text.endsWith('[]');
  const $ref = known.define(isList ? text.slice(0, -2) : text);
  return isList ? { type: 'array', items: { $ref } } : { $ref };
}

/** Puts a type of Kubernetes, and what it refers to, among the definitions; returns how to refer to it. */
function define(type, kubernetes, definitions) {
  const name =
    OPERATOR_TYPES[type] === undefined
      ? Object.keys(kubernetes).find((candidate) => candidate.endsWith(`.${type}`))
      : type;
  if (name === undefined) throw new Error(`values.yaml: Kubernetes has no type ${type}`);
  const waiting = [name];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (definitions[next] !== undefined) continue;
    definitions[next] =
      next === 'api.resource.Quantity' ? QUANTITY : (OPERATOR_TYPES[next] ?? kubernetes[next]);
    for (const [, other] of JSON.stringify(definitions[next]).matchAll(/"#\/definitions\/([^"]+)"/g)) {
      waiting.push(other);
    }
  }
  return `#/definitions/${name}`;
}

function settingsSchema(settings) {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(settings.map(({ key, schema }) => [key, orNothing(schema)])),
  };
}

/** Nothing is the server's default, also when a values file before set something. */
function orNothing(schema) {
  if (schema.enum !== undefined) return { ...schema, enum: [...schema.enum, null] };
  return { ...schema, type: [schema.type, 'null'].flat() };
}

function alertsSchema(alerts) {
  const one = {
    type: 'object',
    additionalProperties: false,
    properties: {
      enabled: { type: 'boolean' },
      severity: { enum: ['critical', 'warning', 'info'] },
      threshold: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' },
      for: DURATION,
      keepFiringFor: DURATION,
    },
  };
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(alerts.map((name) => [name, one])),
  };
}
