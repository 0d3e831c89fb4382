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
 * Whether a change without a bearer token may come from a page of another site. The browser would add the cookie by
 * itself, and where callers are not told apart no cookie is needed.
 * @param isByCookie true: a request without these headers is not believed
 */
export function isOfAnotherSite({ fetchSite, origin, host }: RequestSite, isByCookie: boolean): boolean {
  if (fetchSite !== undefined) return fetchSite !== 'same-origin';
  if (origin === undefined) return isByCookie;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
