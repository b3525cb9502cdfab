/* The reference page, docs/api.md: every method with its route, scope, fields and an example. */
import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { EXAMPLES } from './examples.js';
import {
  CUSTOM_JSON,
  enumJsonName,
  enumJsonValues,
  enumValueName,
  messageOf,
  reachable,
  TIMESTAMP,
} from './names.js';
import type { Api, ApiMethod } from './model.js';
import type { GeneratedFile } from './output.js';

export function emitDocs(api: Api): GeneratedFile {
  const sections = [INTRODUCTION, overview(api), ...services(api), ...types(api), enums(api), reasons(api)];
  return { path: 'docs/api.md', content: `${sections.join('\n\n')}\n` };
}

const INTRODUCTION = `<!-- Generated from proto/ by \`npm run generate\`. Do not edit. -->
# API reference

Every method is served over HTTP on port 8080, with JSON or protobuf bodies, and over gRPC on port 9090. A machine-readable form of this
page is at \`GET /openapi.json\`.

- **Credentials**: \`Authorization: Bearer <token or API key>\`; in gRPC the metadata key \`authorization\`. The tenant is the credential's.
- **Body**: \`Content-Type: application/json\` or \`application/x-protobuf\`. The answer has the type that
  \`Accept\` names, else that of the body.
- **JSON**: names are lowerCamelCase, enum values lower_snake. Unknown fields are refused. \`null\` means that the field is not given.
- **Writes** carry \`requestId\`: the answer to a repeated id is the first answer, so that a call whose
  outcome is unknown can be repeated.`;

function overview(api: Api): string {
  const rows = api.methods.map(({ desc, verb, path, scope }) => {
    const access = scope === '' ? 'public' : `\`${scope}\``;
    return `| [${desc.name}](#${desc.name.toLowerCase()}) | \`${verb} ${path}\` | ${access} |`;
  });
  return `| method | route | scope |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

function services(api: Api): string[] {
  const byService = new Map<string, ApiMethod[]>();
  for (const method of api.methods) {
    const name = method.desc.parent.name;
    byService.set(name, [...(byService.get(name) ?? []), method]);
  }
  return [...byService].map(([name, methods]) => {
    const service = methods[0]?.desc.parent;
    const about = service === undefined ? '' : api.comments.of(service);
    return [`## ${name}`, about, ...methods.map((method) => methodSection(api, method))].join('\n\n');
  });
}

function methodSection(api: Api, method: ApiMethod): string {
  const { desc } = method;
  const access = method.public ? 'no credential needed' : `scope \`${method.scope}\``;
  const repeat = method.readOnly ? 'changes nothing' : 'may be repeated with the same `requestId`';
  return [
    `### ${desc.name}`,
    api.comments.of(desc),
    `\`${method.verb} ${method.path}\` · gRPC \`${desc.parent.typeName}/${desc.name}\` · ${access} · ${repeat}`,
    `Request: ${api.comments.of(desc.input)}`,
    fieldTable(api, desc.input, method),
    `Response: ${api.comments.of(desc.output)}`,
    fieldTable(api, desc.output),
    exampleBlock(method),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function exampleBlock(method: ApiMethod): string {
  const example = EXAMPLES[method.desc.name];
  if (example === undefined) return '';
  const path = method.path.replace(/\{([a-z_]+)\}/g, (_, name: string) => {
    const field = method.pathFields.find((candidate) => candidate.name === name);
    return encodeURIComponent(example.path?.[field?.jsonName ?? name] ?? name);
  });
  const query = method.hasBody || example.request === undefined ? '' : `?${queryString(example.request)}`;
  const body = method.hasBody ? `\n${JSON.stringify(example.request)}` : '';
  return `\`\`\`http\n${method.verb} ${path}${query}${body}\n\n${JSON.stringify(example.response)}\n\`\`\``;
}

function queryString(request: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(request).flatMap(([name, value]) =>
    [value].flat().map((item): [string, string] => [name, String(item)]),
  );
  return new URLSearchParams(pairs).toString();
}

function types(api: Api): string[] {
  const roots = new Set(api.methods.flatMap((method) => [method.desc.input, method.desc.output]));
  const below = reachable([...roots]).filter((message) => !roots.has(message));
  const custom = api.messages.filter((message) => CUSTOM_JSON.has(message.typeName));
  const sections = [...custom, ...below].map((message) => {
    const about = [`### ${message.name}`, api.comments.of(message)];
    return [...about, CUSTOM_JSON.has(message.typeName) ? '' : fieldTable(api, message)]
      .filter(Boolean)
      .join('\n\n');
  });
  return ['## Types', ...sections];
}

function enums(api: Api): string {
  const shown = api.enums.filter((desc) => desc.name !== 'ErrorReason' && !desc.name.endsWith('Operator'));
  const sections = shown.map((desc) => {
    const rows = enumJsonValues(desc).map(
      (value) => `| \`${enumJsonName(desc, value)}\` | ${cell(api.comments.of(value))} |`,
    );
    return `### ${desc.name}\n\n${api.comments.of(desc)}\n\n| value | meaning |\n| --- | --- |\n${rows.join('\n')}`;
  });
  return ['## Enums', ...sections].join('\n\n');
}

function reasons(api: Api): string {
  const desc = api.enums.find((candidate) => candidate.name === 'ErrorReason');
  if (desc === undefined) throw new Error('no enum ErrorReason');
  const rows = enumJsonValues(desc).map(
    (value) => `| \`${enumValueName(desc, value)}\` | ${cell(api.comments.of(value))} |`,
  );
  return `## Errors\n\n${api.comments.of(desc)}\n\n| reason | meaning |\n| --- | --- |\n${rows.join('\n')}`;
}

function fieldTable(api: Api, message: DescMessage, method?: ApiMethod): string {
  if (message.fields.length === 0) return '';
  const rows = message.fields.map((field) => {
    const place = method === undefined ? '' : ` | ${placeOf(method, field)}`;
    return `| \`${field.jsonName}\` | ${typeName(field)}${place} | ${cell(api.comments.of(field))} |`;
  });
  const head = method === undefined ? '| field | type | meaning |' : '| field | type | in | meaning |';
  return `${head}\n|${' --- |'.repeat(method === undefined ? 3 : 4)}\n${rows.join('\n')}`;
}

function placeOf(method: ApiMethod, field: DescField): string {
  if (method.pathFields.includes(field)) return 'path';
  return method.hasBody ? 'body' : 'query';
}

function typeName(field: DescField): string {
  if (field.fieldKind === 'map') return `map of ${baseName(field)}`;
  return field.fieldKind === 'list' ? `list of ${baseName(field)}` : baseName(field);
}

function baseName(field: DescField): string {
  const named = messageOf(field) ?? field.enum;
  if (named?.typeName === TIMESTAMP) return 'time';
  if (named !== undefined) return `[${named.name}](#${named.name.toLowerCase()})`;
  return ScalarType[field.scalar ?? ScalarType.STRING].toLowerCase();
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n\n', ' ');
}
