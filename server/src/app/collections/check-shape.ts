import { OmenError } from '../../core/errors.js';
import { LIMITS } from '../../core/limits.js';
import { METRICS } from '../../core/vector/metric.js';

/** Refuses dimensions out of range and unknown metrics. */
export function checkShape(dimensions: number, metric: string): void {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > LIMITS.dimensionsMax) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      `dimensions is ${dimensions}: it must be a whole number from 1 to ${LIMITS.dimensionsMax}`,
      {
        field: 'dimensions',
      },
    );
  }
  if (!METRICS.some((known) => known === metric)) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      `metric is "${metric}": it must be one of ${METRICS.join(', ')}`,
      { field: 'metric' },
    );
  }
}
