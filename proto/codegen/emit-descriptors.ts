/**
 * Descriptors for gRPC reflection: our files and the well-known ones they use, without options and comments,
 * so that they stay small.
 */
import { clone, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type FileDescriptorSet } from '@bufbuild/protobuf/wkt';
import type { GeneratedFile } from './output.js';

const PACKED_LINE = 96;

export function emitDescriptors(image: FileDescriptorSet): GeneratedFile {
  const set = clone(FileDescriptorSetSchema, image);
  set.file = set.file.filter(({ name }) => isOurs(name) || name === 'google/protobuf/timestamp.proto');
  const names = new Set(set.file.map(({ name }) => name));
  for (const file of set.file) {
    file.dependency = file.dependency.filter((name) => names.has(name));
    delete file.sourceCodeInfo;
    delete file.options;
    for (const message of file.messageType) {
      for (const field of message.field) delete field.options;
      for (const oneof of message.oneofDecl) delete oneof.options;
    }
    for (const service of file.service) for (const method of service.method) delete method.options;
  }
  // Unknown fields hold what the builder of the image added.
  const bytes = toBinary(FileDescriptorSetSchema, set, { writeUnknownFields: false });
  const text = Buffer.from(bytes).toString('base64');
  const lines = text.match(new RegExp(`.{1,${PACKED_LINE}}`, 'g')) ?? [];
  const content = `/** A google.protobuf.FileDescriptorSet of the API in base64, for gRPC reflection. */
export const DESCRIPTOR_SET_BASE64 = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('');
`;
  return { path: 'descriptors.ts', content };
}

function isOurs(name: string): boolean {
  return name.startsWith('omendb/v1/');
}
