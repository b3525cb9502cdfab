/*
 * Lists keys in the order of their UTF-8 bytes by walking folders in that order, so a page costs the folders
 * it touches and not the whole store.
 */
import { join } from 'node:path';
import { compareUtf8 } from '../../core/bytes/compare-utf8.js';
import type { ListedObject } from '../../ports/object-store.js';
import type { FileSystem } from './file-system.js';
import { codeOf } from './file-system.js';
import { CONTINUED, partOfName, pathOfKey, SWAPPED } from './key-path.js';
import { TRAILER_BYTES } from './stored-file.js';

const PAGE_SIZE = 1000;

export interface KeyRange {
  readonly prefix: string;
  readonly startAfter: string;
}

interface Child {
  /** Key up to here; ends in `/` for a folder, so that sorting children sorts the keys below them. */
  readonly key: string;
  readonly kind: 'object' | 'swapped' | 'folder';
  readonly path: string;
}

/** Up to 1 000 keys with `prefix` behind `startAfter`, ascending. */
export async function listKeys(files: FileSystem, root: string, range: KeyRange): Promise<ListedObject[]> {
  const folder = range.prefix.slice(0, range.prefix.lastIndexOf('/'));
  const path = folder === '' ? root : join(root, pathOfKey(folder));
  const found: Child[] = [];
  await walk({ files, range, found }, path, folder === '' ? '' : `${folder}/`);
  const listed: ListedObject[] = [];
  for (let from = 0; from < found.length; from += 32) {
    const sized = await Promise.all(found.slice(from, from + 32).map((child) => sizeOf(files, child)));
    for (const object of sized) if (object !== null) listed.push(object);
  }
  return listed;
}

interface Walk {
  readonly files: FileSystem;
  readonly range: KeyRange;
  readonly found: Child[];
}

async function walk(state: Walk, path: string, base: string): Promise<void> {
  const { range, found } = state;
  for (const child of await childrenOf(state.files, path, base)) {
    if (found.length >= PAGE_SIZE) return;
    if (child.kind === 'folder') {
      if (mayHold(child.key, range)) await walk(state, child.path, child.key);
      continue;
    }
    const last = found.at(-1);
    const wanted = child.key.startsWith(range.prefix) && compareUtf8(child.key, range.startAfter) > 0;
    // A swap that died before it removed the object that was put leaves both: they are one object.
    if (wanted && last?.key !== child.key) found.push(child);
  }
}

/** Can a key below `folder` be in the range? */
function mayHold(folder: string, { prefix, startAfter }: KeyRange): boolean {
  const related = folder.startsWith(prefix) || prefix.startsWith(folder);
  return related && (startAfter.startsWith(folder) || compareUtf8(folder, startAfter) > 0);
}

async function childrenOf(files: FileSystem, path: string, base: string): Promise<Child[]> {
  const children: Child[] = [];
  for (const { name, path: at, folder } of await namesIn(files, path, '')) {
    const swapped = folder && name.endsWith(SWAPPED);
    const part = partOfName(swapped ? name.slice(0, -1) : name);
    if (part === null) continue;
    const kind = swapped ? 'swapped' : folder ? 'folder' : 'object';
    children.push({ key: `${base}${part}${kind === 'folder' ? '/' : ''}`, kind, path: at });
  }
  // Of two with one key the swapped one comes first and counts.
  return children.sort((a, b) => compareUtf8(a.key, b.key) || (a.kind === 'swapped' ? -1 : 1));
}

interface Name {
  readonly name: string;
  readonly path: string;
  readonly folder: boolean;
}

/** Names in a folder, those that go on in a folder of their own put together. */
async function namesIn(files: FileSystem, path: string, begun: string): Promise<Name[]> {
  const names: Name[] = [];
  for (const entry of await entriesOf(files, path)) {
    const at = join(path, entry.name);
    const name = `${begun}${entry.name}`;
    const folder = entry.isDirectory();
    if (folder && name.endsWith(CONTINUED)) names.push(...(await namesIn(files, at, name.slice(0, -1))));
    else names.push({ name, path: at, folder });
  }
  return names;
}

async function entriesOf(
  files: FileSystem,
  path: string,
): Promise<{ name: string; isDirectory(): boolean }[]> {
  try {
    return await files.readdir(path, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Null when it was removed meanwhile. */
async function sizeOf(files: FileSystem, child: Child): Promise<ListedObject | null> {
  try {
    let file = child.path;
    if (child.kind === 'swapped') {
      const newest = (await files.readdir(child.path)).sort().at(-1);
      if (newest === undefined) return null;
      file = join(child.path, newest);
    }
    return { key: child.key, size: (await files.stat(file)).size - TRAILER_BYTES };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
