/** How much of a rate is left: it fills with time up to a second's worth, and a request takes one. */
export interface TokenBucket {
  tokens: number;
  /** The instant `tokens` is true of, milliseconds. */
  at: number;
}

/** A second's worth may come at once; of a slower rate, one. */
const capacityOf = (perSecond: number): number => Math.max(1, perSecond);

/** The bucket of who has not asked before: full. */
export const fullBucket = (perSecond: number, now: number): TokenBucket => ({ tokens: capacityOf(perSecond), at: now });

/**
 * Takes one token where there is one; else says when there will be. Over any time t no more than a second's worth (at
 * least one) and `perSecond` × t are taken.
 * @param now milliseconds of a clock that never runs backwards
 */
export function takeToken(
  bucket: TokenBucket,
  perSecond: number,
  now: number,
): { bucket: TokenBucket; taken: boolean; retryAfterMs: number } {
  const tokens = Math.min(capacityOf(perSecond), bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
  // Adding up fractions may miss the whole by a hair.
  if (tokens > 1 - 1e-9) return { bucket: { tokens: Math.max(0, tokens - 1), at: now }, taken: true, retryAfterMs: 0 };
  return { bucket: { tokens, at: now }, taken: false, retryAfterMs: Math.ceil(((1 - tokens) * 1000) / perSecond) };
}
