/* `node main.js <image> <root>`: writes everything that is generated below the folder `root`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { finish, replaceFolder } from './output.js';
import { generateMessages } from './ts-proto.js';

const [imagePath, root] = process.argv.slice(2);
if (imagePath === undefined || root === undefined) throw new Error('usage: main.js <image> <root>');

const image = fromBinary(FileDescriptorSetSchema, readFileSync(imagePath));
const messages = await Promise.all(generateMessages(image).map(finish));
replaceFolder(join(root, 'server/src/gen'), messages);
replaceFolder(join(root, 'sdk/src/gen'), messages);
