/** Asking the server, and why it may not answer now. */

const PATIENCE_MS = 30_000;
const CSRF = /name="csrf" (?:content|value)="([^"]+)"/;
const ACCOUNT = /name="account" content="([^"]+)"/;
/** Where pages lead somebody who has to sign in, or to choose a password, first. */
const BEFORE = ["/sign-in", "/password"];

/** Nothing was decided: it is to be tried again, or after signing in. */
export class NotNow extends Error {
  /** @param {"offline" | "signed_out"} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/**
 * An answer that is one. Raises: NotNow.
 * @param {string} path
 * @param {RequestInit} [how]
 * @returns {Promise<Response>}
 */
export async function ask(path, how) {
  let answer;
  try {
    const headers = { ...language(), ...how?.headers };
    answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...how, headers });
  } catch {
    throw new NotNow("offline");
  }
  if (answer.status === 401 || BEFORE.includes(new URL(answer.url).pathname)) throw new NotNow("signed_out");
  if (answer.status === 429 || answer.status >= 500) throw new NotNow("offline");
  return answer;
}

/** That of the page; a worker has none. */
function language() {
  const { document } = globalThis;
  return document && { "Accept-Language": document.documentElement.lang };
}

/** @param {Response} answer @returns {Promise<any>} Raises: NotNow where it was cut off. */
export async function json(answer) {
  try {
    return await answer.json();
  } catch {
    throw new NotNow("offline");
  }
}

/** @param {string} page @returns {Record<string, string>} what a page of a session has to send with its changes */
export function csrfHeader(page) {
  const found = CSRF.exec(page);
  return found ? { "X-CSRF-Token": found[1] } : {};
}

/** @param {string} page @returns {string | undefined} the account that a page of the phone was made for */
export const accountOf = (page) => ACCOUNT.exec(page)?.[1];
