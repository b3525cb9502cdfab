// Files as Kubernetes mounts and changes them.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A file of a mounted Secret or ConfigMap: all files of a version come at once, by a link to their folder.
 */
export class MountedFile {
  readonly path: string;
  #version = 0;

  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {
    mkdirSync(folder);
    this.path = join(folder, name);
    symlinkSync(join('..data', name), this.path);
  }

  write(text: string): void {
    const version = `..version_${++this.#version}`;
    mkdirSync(join(this.folder, version));
    writeFileSync(join(this.folder, version, this.name), text);
    symlinkSync(version, join(this.folder, '..data_tmp'));
    renameSync(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
    rmSync(join(this.folder, `..version_${this.#version - 1}`), { recursive: true, force: true });
  }
}
