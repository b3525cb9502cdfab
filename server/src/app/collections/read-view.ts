import type { CollectionState } from '../../core/collection/state.js';

/** A state that stays as it is read until it is released. */
export interface ReadView {
  readonly state: CollectionState;
  readonly release: () => void;
}
