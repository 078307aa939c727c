/** Whose page this is, and of which case. */

import { keeper } from "./phone-store.js";

const account = /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name=account]"))?.content;

/** @returns {Promise<import("./phone-store.js").Keeper | undefined>} the one the page was made for, if it is they who signed in last */
export const ownKeeper = () => keeper(account);

/** @param {import("./phone-store.js").Keeper | undefined} own @returns {Promise<boolean>} whether it is somebody else who signed in last */
export const isAnothers = async (own) => !own && Boolean(await keeper());

/** Of the page's case; none on the others. */
export const caseId = /^\/m\/cases\/([0-9a-f-]{36})/.exec(location.pathname)?.[1];
