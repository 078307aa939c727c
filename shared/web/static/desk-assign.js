/** A handler for many cases at once: each is assigned or refused for itself, and its line says which. */

/** @typedef {{status: number, body: any}} Line */

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("assign"));
/** Of what was sent and may have arrived: sent again, it is the same act. @type {Map<string, string>} */
const keys = new Map();

/** @returns {HTMLInputElement[]} */
const boxes = () => [...(form?.querySelectorAll("[data-case]") ?? [])].map((box) => /** @type {HTMLInputElement} */ (box));

form?.querySelector("[data-all]")?.addEventListener("change", ({ target }) => {
  for (const box of boxes()) box.checked = /** @type {HTMLInputElement} */ (target).checked;
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = boxes().filter((box) => box.checked);
  const handler = /** @type {HTMLSelectElement} */ (form.elements.namedItem("handler_ref"));
  if (!chosen.length || !handler.value) return tell(form.dataset.none);
  if (form.hasAttribute("aria-busy")) return undefined;
  form.setAttribute("aria-busy", "true");
  try {
    const answers = await send(chosen, handler.value);
    const done = chosen.filter((box, index) => show(box, answers[index], handler)).length;
    tell(form.dataset.done?.replace("{done}", String(done)).replace("{refused}", String(chosen.length - done)));
  } catch {
    tell(form.dataset.unsent);
  } finally {
    form.removeAttribute("aria-busy");
  }
  return undefined;
});

/** @param {HTMLInputElement[]} chosen @param {string} handler @returns {Promise<Line[]>} one for each, in order */
async function send(chosen, handler) {
  const csrf = /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name=csrf]"))?.content;
  const headers = { "Content-Type": "application/x-ndjson", "Accept-Language": document.documentElement.lang, ...(csrf && { "X-CSRF-Token": csrf }) };
  const body = chosen.map((box) => JSON.stringify(line(box, handler))).join("\n");
  const answer = await fetch("/v1/commands:batch", { method: "POST", headers, body });
  if (!answer.ok) throw new Error(String(answer.status));
  const lines = (await answer.text()).trim().split("\n").map((text) => JSON.parse(text));
  if (lines.length !== chosen.length) throw new Error("cut off");
  return lines;
}

/** @param {HTMLInputElement} box @param {string} handler */
function line({ dataset: { case: id, version } }, handler) {
  const act = `${id}/${version}/${handler}`;
  const key = keys.get(act) ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  keys.set(act, key);
  const headers = { "Idempotency-Key": key, "If-Match": `"${version}"` };
  return { method: "POST", path: `/v1/cases/${id}/assign-handler`, headers, body: { handler_ref: handler } };
}

/** @param {HTMLInputElement} box @param {Line} answer @param {HTMLSelectElement} handler @returns {boolean} whether it was assigned */
function show(box, { status, body }, handler) {
  const place = /** @type {HTMLElement} */ (form?.querySelector(`[data-result="${box.dataset.case}"]`));
  const isDone = status < 300;
  place.className = isDone ? "good" : "wrong";
  place.textContent = isDone ? (form?.dataset.assigned?.replace("{who}", handler.selectedOptions[0].text) ?? "") : body.detail;
  if (isDone) {
    box.dataset.version = String(body.version);
    box.checked = false;
  }
  return isDone;
}

/** @param {string | undefined} words */
function tell(words) {
  const place = document.getElementById("assign-result");
  if (place) place.textContent = words ?? "";
}
