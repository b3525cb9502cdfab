/*
 * The self-test of a clustered segment: rows that served as queries when it was calibrated, each with its
 * exact nearest rows. Kept in the segment, so that recall can be measured at any later time without computing
 * exact answers again. Drawn in docs/formats/segment.md.
 *
 * Layout, u32 little-endian: number of queries, answers per query, then per query its row and its answers;
 * 0xffffffff where there are fewer.
 */
const ANSWERS = 10;
const NONE = 0xffffffff;

export interface SelfTest {
  readonly queries: Uint32Array;
  readonly answers: readonly Uint32Array[];
}

/** Bytes of the section for so many queries. */
export function selfTestBytes(queries: number): number {
  return (2 + queries * (1 + ANSWERS)) * 4;
}

/** Fills the section; queries beyond its room are left out. */
export function writeSelfTest(section: Uint8Array, test: SelfTest): void {
  const words = new Uint32Array(section.buffer, section.byteOffset, section.length / 4).fill(NONE);
  const room = Math.floor((words.length - 2) / (1 + ANSWERS));
  const queries = Math.min(room, test.queries.length);
  words[0] = queries;
  words[1] = ANSWERS;
  for (let index = 0; index < queries; index++) {
    const at = 2 + index * (1 + ANSWERS);
    words[at] = test.queries[index] ?? NONE;
    words.set(test.answers[index]?.subarray(0, ANSWERS) ?? [], at + 1);
  }
}

/** The rows that served as queries. */
export function selfTestQueries(section: Uint8Array): Uint32Array {
  const words = new Uint32Array(section.buffer, section.byteOffset, section.length / 4);
  const width = 1 + (words[1] ?? ANSWERS);
  return Uint32Array.from({ length: words[0] ?? 0 }, (_, index) => words[2 + index * width] ?? NONE);
}
