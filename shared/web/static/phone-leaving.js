/** Signing out, and signing in as whoever it may be, on any page: what is in the device can't be read from then on. */

import { awaitEntry, leave } from "./phone-store.js";

for (const form of document.querySelectorAll('form[action="/sign-out"], form[action^="/sign-in"]')) {
  /** @type {HTMLFormElement} */ (form).addEventListener("submit", lockFirst);
}

/** @param {SubmitEvent} event */
async function lockFirst(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  try {
    await (form.action.endsWith("/sign-out") ? leave() : awaitEntry());
  } finally {
    form.removeEventListener("submit", lockFirst);
    form.requestSubmit(event.submitter);
  }
}
