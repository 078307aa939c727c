/** Forms that send their command at once: what doesn't fit is told beside its field, what was typed stays. */

import { bodyOf, clearErrors, showErrors } from "./forms-body.js";
import "./forms-fields.js";
import { isFromNobody, standing } from "./forms-session.js";

const words = /** @type {HTMLTemplateElement} */ (document.getElementById("form-words")).content;

/** @param {string} name @returns {string} */
const word = (name) => words.querySelector(`[data-word="${name}"]`)?.textContent ?? name;

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
    // On a page that is being left nothing is pressed twice.
    if (!(await goesOn(form, key))) form.removeAttribute("aria-busy");
  });
}

/** @param {HTMLFormElement} form @param {string} key @returns {Promise<boolean>} whether it was accepted; else it is told why not */
async function goesOn(form, key) {
  try {
    const who = await standing();
    if (who !== "theirs") return tell(form, word(who), signIn());
    const answer = await send(form, key);
    const told = await answer.json();
    if (isFromNobody(answer.status, told)) return tell(form, word("signed_out"), signIn());
    if (!answer.ok) return refuse(form, told);
    // A page of lists says so where it has to wait until they know of what was sent.
    location.assign((form.dataset.next ?? location.href).replace("{position}", told.position));
    return true;
  } catch {
    return tell(form, word("unsent"));
  }
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

/** In a tab of its own, since what was typed is here. */
const signIn = () => Object.assign(document.createElement("a"), { href: "/sign-in", target: "_blank", textContent: word("sign_in") });

/** @param {HTMLFormElement} form */
function clear(form) {
  clearErrors(form);
  form.querySelector("[role=alert]")?.remove();
}

/** @param {HTMLFormElement} form @param {{detail: string, errors?: {pointer: string, detail: string}[]}} problem of RFC 9457 */
function refuse(form, { detail, errors = [] }) {
  const elsewhere = showErrors(form, errors);
  const isAllBeside = errors.length > 0 && elsewhere.length === 0;
  return tell(form, isAllBeside ? word("some_wrong") : [detail, ...elsewhere].join(" "));
}

/** @param {HTMLFormElement} form @param {...(string | Node)} said @returns {false} */
function tell(form, ...said) {
  const told = document.createElement("p");
  told.append(...said.flatMap((part) => [part, " "]));
  const alert = document.createElement("div");
  alert.className = "notice bad";
  alert.setAttribute("role", "alert");
  alert.append(told);
  form.querySelector("button:not([type=button], [data-fills])")?.before(alert);
  return false;
}

for (const form of document.querySelectorAll("form[data-command]")) sendsAtOnce(/** @type {HTMLFormElement} */ (form));
