/** Forms that send their command at once: what doesn't fit is told beside its field, what was typed stays. */

import { bodyOf, clearErrors, showErrors } from "./forms-body.js";
import "./forms-fields.js";

const UNSENT = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=unsent]")).content;

/** Not `randomUUID`, which browsers have only where the connection is secure. */
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {HTMLFormElement} form */
export function sendsAtOnce(form) {
  // The same text sent again is the same act, another text another one.
  let key = newKey();
  form.noValidate = true;
  form.addEventListener("input", () => (key = newKey()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.hasAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    clear(form);
    try {
      const answer = await send(form, key);
      const told = await answer.json();
      // A page of lists says so where it has to wait until they know of what was sent.
      if (answer.ok) return location.assign((form.dataset.next ?? location.href).replace("{position}", told.position));
      tell(form, told);
    } catch {
      tell(form, { detail: UNSENT });
    }
    form.removeAttribute("aria-busy");
  });
}

/** @param {HTMLFormElement} form @param {string} key */
function send(form, key) {
  const { command = "", version } = form.dataset;
  const csrf = /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name=csrf]"))?.content;
  const headers = {
    "Content-Type": "application/json",
    "Accept-Language": document.documentElement.lang,
    "Idempotency-Key": key,
    ...(csrf && { "X-CSRF-Token": csrf }),
    ...(version && { "If-Match": `"${version}"` }),
  };
  return fetch(command, { method: "POST", headers, body: JSON.stringify(bodyOf(form)) });
}

/** @param {HTMLFormElement} form */
function clear(form) {
  clearErrors(form);
  form.querySelector("[role=alert]")?.remove();
}

/** @param {HTMLFormElement} form @param {{detail: string, errors?: {pointer: string, detail: string}[]}} problem of RFC 9457 */
function tell(form, { detail, errors = [] }) {
  const told = document.createElement("p");
  told.textContent = [detail, ...showErrors(form, errors)].join(" ");
  const alert = document.createElement("div");
  alert.className = "notice bad";
  alert.setAttribute("role", "alert");
  alert.append(told);
  form.querySelector("button:not([type=button], [data-fills])")?.before(alert);
}

for (const form of document.querySelectorAll("form[data-command]")) sendsAtOnce(/** @type {HTMLFormElement} */ (form));
