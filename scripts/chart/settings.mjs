// The server's settings as the chart takes them: OMENDB_MAX_IN_FLIGHT is config.maxInFlight, with a schema
// that follows from what the option says that it takes.

/** Ports below are for privileged processes; the pod is none. */
const PORT_MIN = 1024;

/**
 * Every option that is no secret and the same for all pods: `{ key, env, live, schema, doc, fallback, allowed
 * }`, by key. Secrets come from Secrets: they are returned by name of their variable.
 */
export function chartSettings(options) {
  const rows = Object.values(options);
  const settings = rows
    .filter(({ secret, own }) => secret !== true && own !== true)
    .map((option) => ({
      key: keyOf(option.env),
      env: option.env,
      live: option.live === true,
      schema: schemaOf(option),
      doc: option.doc,
      allowed: option.type.allowed,
      fallback: option.defaultText ?? option.type.format(option.default),
    }));
  return { settings, secrets: rows.filter(({ secret }) => secret === true).map(({ env }) => env) };
}

function keyOf(env) {
  const words = env
    .replace(/^OMENDB_/, '')
    .toLowerCase()
    .split('_');
  return words.map((word, index) => (index === 0 ? word : word[0].toUpperCase() + word.slice(1))).join('');
}

/** The words of option types, and the schema that each stands for. */
const SCHEMAS = [
  [/^a port from/, () => ({ type: 'integer', minimum: PORT_MIN, maximum: 65_535 })],
  [/^a whole number from (\d+) to (\d+)$/, (min, max) => ({ type: 'integer', minimum: +min, maximum: +max })],
  [/^true or false$/, () => ({ type: 'boolean' })],
  [/^one of (.+)$/, (values) => ({ enum: values.split(', ') })],
  [/^a time from/, () => ({ type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' })],
  [/^a size from/, () => ({ type: ['integer', 'string'], pattern: '^[0-9]+(Ki|Mi|Gi|k|M|G)?$' })],
  // Helm's --set makes a text of a fraction.
  [
    /^a number from 0 to 1$/,
    () => ({
      ...{ type: ['number', 'string'], minimum: 0, maximum: 1 },
      pattern: '^(0(\\.[0-9]+)?|1(\\.0+)?)$',
    }),
  ],
  [/^file:\/\/ and the path/, () => ({ type: 'string', pattern: '^((file:///|s3://).+)?$' })],
  [/^http:\/\/ or https:\/\//, () => ({ type: 'string', pattern: '^(https?://[^/]+/?)?$' })],
  [/^an http:\/\/ or https:\/\/ URL/, () => ({ type: 'string', pattern: '^(https?://[^?#]+)?$' })],
  [/^the path of a/, () => ({ type: 'string', pattern: '^/.+$' })],
  [/^(an IP address|the id or ARN|a name without|.*name=value pairs)/, () => ({ type: 'string' })],
];

function schemaOf({ env, type: { allowed }, doc }) {
  for (const [pattern, make] of SCHEMAS) {
    const match = pattern.exec(allowed);
    if (match !== null) return { description: doc, ...make(...match.slice(1)) };
  }
  throw new Error(`${env} takes ${allowed}: scripts/chart/settings.mjs has no schema for that`);
}
