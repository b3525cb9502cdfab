/**
 * `node main.js <image> <codegen folder> <target folder>`: writes everything that is generated below the
 * target folder.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { emitDescriptors } from './emit-descriptors.js';
import { emitDocs } from './emit-docs.js';
import { emitBarrel, emitMethods, emitReasons } from './emit-methods.js';
import { emitJson } from './emit-json.js';
import { emitOpenApi } from './emit-openapi.js';
import { emitValidate } from './emit-validate.js';
import { readApi } from './model.js';
import { finish, replaceFolder, writeFile, type GeneratedFile } from './output.js';
import { generateMessages } from './ts-proto.js';

const [imagePath, codegen, target] = process.argv.slice(2);
if (imagePath === undefined || codegen === undefined || target === undefined) {
  throw new Error('usage: main.js <image> <codegen folder> <target folder>');
}

const SERVER_ONLY = new Set(['runtime/check.ts', 'runtime/http-request.ts']);

const image = fromBinary(FileDescriptorSetSchema, readFileSync(imagePath));
const api = readApi(image);
const common = [
  ...generateMessages(image),
  ...runtime(codegen),
  emitBarrel(api),
  emitJson(api),
  emitReasons(api),
];
const server = [
  ...common,
  emitMethods(api, 'server'),
  emitValidate(api),
  emitOpenApi(api, versionOf(codegen)),
  emitDescriptors(image),
];
const client = [...common.filter(({ path }) => !SERVER_ONLY.has(path)), emitMethods(api, 'client')];
replaceFolder(join(target, 'server/src/gen'), await Promise.all(server.map(finish)));
replaceFolder(join(target, 'sdk/src/gen'), await Promise.all(client.map(finish)));
writeFile(target, emitDocs(api));

function versionOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, '../../server/package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** The hand-written part of the codecs, beside the generated part. */
function runtime(folder: string): GeneratedFile[] {
  const names = readdirSync(join(folder, 'runtime')).filter((name) => name.endsWith('.ts'));
  return names.sort().map((name) => ({
    path: `runtime/${name}`,
    content: readFileSync(join(folder, 'runtime', name), 'utf8'),
  }));
}
