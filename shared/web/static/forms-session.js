/** Whether whoever has signed in is still the one whose page this is; forms go on once they are again. */

/** @typedef {"theirs" | "signed_out" | "somebody_else"} Standing */

let isRefused = false;

/** @param {Document} page @param {string} name @returns {HTMLMetaElement | null} */
const metaOf = (page, name) => page.querySelector(`meta[name=${name}]`);

/** @param {number} status @param {{type?: string}} problem @returns {boolean} whether the server took it from nobody whom it knows */
export function isFromNobody(status, { type }) {
  isRefused = status === 401 || type === "/problems/csrf";
  return isRefused;
}

/** After a refusal, takes what a new session of the same person has to send along. @returns {Promise<Standing>} */
export async function standing() {
  if (!isRefused) return "theirs";
  const text = await (await fetch(location.href, { cache: "no-store" })).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const account = metaOf(page, "account")?.content;
  if (!account) return "signed_out";
  if (account !== metaOf(document, "account")?.content) return "somebody_else";
  const csrf = metaOf(document, "csrf");
  if (csrf) csrf.content = metaOf(page, "csrf")?.content ?? "";
  isRefused = false;
  return "theirs";
}
