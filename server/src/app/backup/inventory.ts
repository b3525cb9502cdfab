/*
 * Which objects a backup consists of, with the size and the checksum of each. A log has very many small
 * objects with numbers for names, so a run of slots is kept as one entry.
 */
import { OmenError } from '../../core/errors.js';

export interface StoredObject {
  readonly size: number;
  /** CRC-32C of the whole object. */
  readonly crc: number;
}

/** Consecutive slots: the first one's number, then sizes and checksums in order. */
type SlotRun = readonly [first: number, sizes: number[], checksums: number[]];

interface Folder {
  /** Begins the keys of all its objects. */
  readonly prefix: string;
  /** Rest of the key, size, checksum. */
  readonly objects: [string, number, number][];
  readonly slots: SlotRun[];
}

const FOLDER = /^(?:n\/[0-9a-f]{2}\/[0-9a-f]{32}\/)/;
const SLOT = /^w\/(\d{20})$/;

export class Inventory {
  readonly #objects = new Map<string, StoredObject>();

  /** Reads what `encode` made. Throws `DATA_CORRUPTED`. */
  static decode(value: unknown, source: string): Inventory {
    const inventory = new Inventory();
    if (!Array.isArray(value) || !value.every(isFolder)) {
      throw new OmenError('DATA_CORRUPTED', `${source} is damaged: field "objects" is not what it must be`);
    }
    for (const { prefix, objects, slots } of value) {
      for (const [name, size, crc] of objects) inventory.add(prefix + name, { size, crc });
      for (const [first, sizes, checksums] of slots) {
        sizes.forEach((size, index) => {
          const key = `${prefix}w/${String(first + index).padStart(20, '0')}`;
          inventory.add(key, { size, crc: checksums[index] ?? 0 });
        });
      }
    }
    return inventory;
  }

  get size(): number {
    return this.#objects.size;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { size } of this.#objects.values()) bytes += size;
    return bytes;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  add(key: string, object: StoredObject): void {
    this.#objects.set(key, object);
  }

  entries(): IterableIterator<[string, StoredObject]> {
    return this.#objects.entries();
  }

  /** As a value for JSON, the same for the same objects. */
  encode(): readonly Folder[] {
    const folders = new Map<string, Folder>();
    for (const key of [...this.#objects.keys()].sort()) {
      const { size, crc } = this.#objects.get(key) as StoredObject;
      const prefix = FOLDER.exec(key)?.[0] ?? '';
      const folder = folders.get(prefix) ?? { prefix, objects: [], slots: [] };
      folders.set(prefix, folder);
      const name = key.slice(prefix.length);
      const number = prefix === '' ? undefined : SLOT.exec(name)?.[1];
      if (number === undefined) folder.objects.push([name, size, crc]);
      else addSlot(folder.slots, Number(number), { size, crc });
    }
    return [...folders.values()];
  }
}

function addSlot(runs: SlotRun[], slot: number, { size, crc }: StoredObject): void {
  let run = runs.at(-1);
  if (run === undefined || run[0] + run[1].length !== slot) runs.push((run = [slot, [], []]));
  run[1].push(size);
  run[2].push(crc);
}

function isFolder(value: unknown): value is Folder {
  const { prefix, objects, slots } = value as Partial<Folder>;
  return (
    typeof prefix === 'string' &&
    Array.isArray(objects) &&
    objects.every((object) => typeof object[0] === 'string' && isCount(object[1]) && isCount(object[2])) &&
    Array.isArray(slots) &&
    slots.every(
      ([first, sizes, checksums]) =>
        isCount(first) &&
        [sizes, checksums].every((numbers) => Array.isArray(numbers) && numbers.every(isCount)) &&
        sizes.length === checksums.length,
    )
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
