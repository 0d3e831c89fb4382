/** Headers by which a browser tells where a request comes from. */
export interface RequestSite {
  /** `Sec-Fetch-Site`; browsers send it to encrypted and to local addresses only. */
  fetchSite: string | undefined;
  /** `Origin`; of a change every browser sends it. */
  origin: string | undefined;
  /** `Host`: where the request went to. */
  host: string | undefined;
}

/**
 * Whether a change that carries no bearer token may have been sent by a page of another site: its browser would add the
 * cookie by itself, and where callers are not told apart not even that is needed.
 * @param isByCookie without a word of its browser it is then not believed
 */
export function isOfAnotherSite({ fetchSite, origin, host }: RequestSite, isByCookie: boolean): boolean {
  if (fetchSite !== undefined) return fetchSite !== 'same-origin';
  if (origin === undefined) return isByCookie;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
