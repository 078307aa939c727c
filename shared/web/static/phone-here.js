/** Whose page this is. */

import { keeper } from "./phone-store.js";

const account = /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name=account]"))?.content;

/** @returns {Promise<import("./phone-store.js").Keeper | undefined>} the one the page was made for, if it is they who signed in last */
export const ownKeeper = () => keeper(account);

/** @returns {Promise<boolean>} whether it is somebody else who signed in last */
export const isAnothers = async () => !(await ownKeeper()) && Boolean(await keeper());
