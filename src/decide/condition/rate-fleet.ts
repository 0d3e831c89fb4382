/** Below this share of healthy accounts the fleet is unhealthy, or degraded; the predecessor's thresholds. */
const UNHEALTHY_SHARE = 0.5;
const DEGRADED_SHARE = 0.8;

/** The health of the fleet by its healthy accounts; a fleet without accounts is healthy. */
export function rateFleet(healthy: number, total: number): 'healthy' | 'degraded' | 'unhealthy' {
  const share = shareOfHealthy(healthy, total);
  if (share < UNHEALTHY_SHARE) return 'unhealthy';
  return share < DEGRADED_SHARE ? 'degraded' : 'healthy';
}

/** From 0 to 1. */
export const shareOfHealthy = (healthy: number, total: number): number => (total === 0 ? 1 : healthy / total);
