/** Signing out, and signing in as whoever it may be, on any page: what the device keeps for one is nothing for another. */

import { doubt, leave, settle } from "./phone-store.js";

const SIGNING_IN = 'form[action^="/sign-in"]';
const of = (/** @type {string} */ name) => /** @type {HTMLMetaElement | null} */ (document.querySelector(`meta[name=${name}]`))?.content;

for (const form of document.querySelectorAll(`form[action="/sign-out"], ${SIGNING_IN}`)) {
  /** @type {HTMLFormElement} */ (form).addEventListener("submit", tellFirst);
}
if (of("csrf") && !of("kept") && !document.querySelector(SIGNING_IN)) await settle(of("account"));

/** @param {SubmitEvent} event */
async function tellFirst(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  try {
    await (form.action.endsWith("/sign-out") ? leave() : doubt());
  } finally {
    form.removeEventListener("submit", tellFirst);
    form.requestSubmit(event.submitter);
  }
}
