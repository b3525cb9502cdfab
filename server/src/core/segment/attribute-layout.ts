/*
 * Where things lie in the attribute index of a segment; drawn in `server/docs/formats/segment.md`, section
 * "Attribute index".
 *
 * Every distinct value of an attribute has an ordinal: first its texts in the order of their bytes, then its
 * numbers in the order of their exact values, then false and true, then one that stands for "the attribute is
 * there". Each ordinal has a list of rows, so every condition is a run of ordinals.
 */

export const INDEX_HEADER_BYTES = 16;
/**
 * The most attributes that get an index, in the order in which rows show them. Records with names of their
 * own would otherwise make an index many times their size; conditions on further attributes read the records.
 */
export const COLUMNS_MAX = 4096;
/** u32 words of one attribute's entry in the directory. */
export const ENTRY_WORDS = 12;

/** Positions of the words of an entry. */
export const ENTRY = {
  nameOffset: 0,
  nameLength: 1,
  bodyOffset: 2,
  bodyLength: 3,
  /** Rows that have the attribute. */
  presentRows: 4,
  /** Distinct texts and numbers. */
  texts: 5,
  numbers: 6,
  /** Ordinals whose rows stand as a bitmap. */
  dense: 7,
  /** The most values that one row has. */
  valuesPerRowMax: 8,
  /** 1 when numbers have remainders. */
  rests: 9,
  /** Words of all row lists. */
  listWords: 10,
  /** Bitmaps of all rows with an ordinal below a certain one. */
  checkpoints: 11,
} as const;

/**
 * Texts up to here stand whole in the dictionary; of longer ones only the beginning does, and where to find
 * all of it.
 */
export const INLINE_TEXT_BYTES = 64;
/** Beginning, offset in the heap of attributes, length. */
export const LONG_TEXT_BYTES = INLINE_TEXT_BYTES + 8;

/** A column with many entries and values, at most one value per row, has so many checkpoints. */
export const CHECKPOINTS = 16;
/** Below so many entries, or distinct values, the lists alone are quick enough. */
export const CHECKPOINT_ENTRIES_MIN = 2048;
export const CHECKPOINT_VALUES_MIN = 64;

/** Ordinals besides texts and numbers: false, true, presence. */
export const EXTRA_ORDINALS = 3;

/** Sizes that decide where the parts of an attribute's body begin. */
export interface BodySizes {
  readonly texts: number;
  readonly numbers: number;
  readonly dense: number;
  readonly rests: boolean;
  readonly listWords: number;
  readonly checkpoints: number;
  /** Words of a bitmap of all rows. */
  readonly bitmapWords: number;
}

/** Byte offsets from the begin of the body. */
export interface BodyOffsets {
  readonly nears: number;
  readonly rests: number;
  readonly textOffsets: number;
  readonly listStarts: number;
  readonly dense: number;
  readonly lists: number;
  /** The ordinals of the checkpoints, then their bitmaps. */
  readonly checkpoints: number;
  readonly texts: number;
}

/** Where the parts of a body begin. The order keeps every part aligned to the size of its numbers. */
export function bodyOffsets(sizes: BodySizes): BodyOffsets {
  const ordinals = sizes.texts + sizes.numbers + EXTRA_ORDINALS;
  const rests = sizes.numbers * 8;
  const textOffsets = rests + (sizes.rests ? (sizes.numbers * 2 + 3) & ~3 : 0);
  const listStarts = textOffsets + (sizes.texts + 1) * 4;
  const dense = listStarts + (ordinals + 1) * 4;
  const lists = dense + sizes.dense * 4;
  const checkpoints = lists + sizes.listWords * 4;
  const texts = checkpoints + sizes.checkpoints * (1 + sizes.bitmapWords) * 4;
  return { nears: 0, rests, textOffsets, listStarts, dense, lists, checkpoints, texts };
}
