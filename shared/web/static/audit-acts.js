/** Forms that send a command of the public interface: what doesn't fit is told beside its field, what was typed stays. */

/** A key of this sending; the same text sent again is the same act, another text another one. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {HTMLFormElement} form */
function act(form) {
  let key = newKey();
  form.addEventListener("input", () => {
    key = newKey();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    clear(form);
    try {
      const answer = await send(form, key);
      if (answer.ok) return location.assign(form.dataset.after);
      tell(form, await answer.json());
    } catch {
      tell(form, { detail: form.dataset.offline });
    }
    button.disabled = false;
  });
}

function send(form, key) {
  const csrf = document.querySelector("meta[name=csrf]")?.content;
  const headers = { "content-type": "application/json", "idempotency-key": key, "accept-language": document.documentElement.lang };
  if (csrf) headers["x-csrf-token"] = csrf;
  if (form.dataset.version) headers["if-match"] = `"${form.dataset.version}"`;
  const body = JSON.stringify(Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim())));
  return fetch(form.action, { method: "POST", headers, body });
}

function clear(form) {
  form.querySelector("[role=alert]").hidden = true;
  for (const wrong of form.querySelectorAll(".wrong")) wrong.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

/** @param {{detail: string, errors?: {pointer: string, detail: string}[]}} problem of RFC 9457 */
function tell(form, problem) {
  const alert = form.querySelector("[role=alert]");
  alert.querySelector("p").textContent = problem.detail;
  alert.hidden = false;
  for (const { pointer, detail } of problem.errors ?? []) {
    const field = form.elements[pointer.replace(/^\//, "")];
    if (!field) continue;
    const wrong = document.createElement("p");
    wrong.className = "wrong";
    wrong.id = `${field.id}-wrong`;
    wrong.textContent = detail;
    field.after(wrong);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", wrong.id);
    field.focus();
  }
}

for (const form of document.querySelectorAll("form[data-act]")) act(form);
