/*
 * Which slab file of a cache goes next, and which of its pieces are written again.
 *
 * Method: S3-FIFO (see `s3-fifo.ts`) with slabs in the place of keys, since a file can only be freed whole.
 * New pieces are written to slabs of kind `new`, which hold about a tenth of the bytes; pieces that were used
 * there move on to slabs of kind `main`, and so do pieces of `main` slabs that were used since they were
 * written. What is remembered of pieces that went is the touch sketch. So that eviction always gains room,
 * however hot everything is, no more than three quarters of the bytes of a main slab are written again, the
 * most used pieces first. A new slab has no such limit: a piece is moved out of it only once.
 */

/** What a slab holds: pieces at their first stay, or those that have proved themselves. */
export const SLAB_KINDS = ['new', 'main'] as const;

/** One of the kinds of a slab. */
export type SlabKind = (typeof SLAB_KINDS)[number];

/** A slab that is full, as the choice sees it. */
export interface SlabFacts {
  readonly kind: SlabKind;
  /** Greater is younger. */
  readonly sequence: number;
  readonly bytes: number;
  /** Pieces that can be found in it. */
  readonly live: number;
}

/** A piece of a slab that is to go. */
export interface PieceFacts {
  readonly bytes: number;
  /** Uses since it was written there. */
  readonly uses: number;
}

/** The slab to free next, undefined when there is none. */
export function nextSlab<S extends SlabFacts>(full: readonly S[], newBytesMax: number): S | undefined {
  const dead = oldest(full.filter(({ live }) => live === 0));
  if (dead !== undefined) return dead;
  const fresh = full.filter(({ kind }) => kind === 'new');
  const main = full.filter(({ kind }) => kind === 'main');
  const freshBytes = fresh.reduce((sum, { bytes }) => sum + bytes, 0);
  return freshBytes > newBytesMax || main.length === 0 ? oldest(fresh) : oldest(main);
}

/** Share of the bytes of a main slab that may be written again. */
const MAIN_SHARE_MAX = 0.75;

/** The pieces to write again: those in use, the most used first, up to the share that the kind allows. */
export function survivors<P extends PieceFacts>(
  pieces: readonly P[],
  { kind, bytes: slabBytes }: Pick<SlabFacts, 'kind' | 'bytes'>,
): P[] {
  const used = pieces.filter(({ uses }) => uses > 0).sort((a, b) => b.uses - a.uses);
  let room = kind === 'main' ? slabBytes * MAIN_SHARE_MAX : slabBytes;
  return used.filter(({ bytes }) => {
    const fits = bytes <= room;
    if (fits) room -= bytes;
    return fits;
  });
}

function oldest<S extends SlabFacts>(slabs: readonly S[]): S | undefined {
  return slabs.reduce<S | undefined>(
    (first, slab) => (first === undefined || slab.sequence < first.sequence ? slab : first),
    undefined,
  );
}
