/** What the fields of a form do by themselves. */

/** A field that only goes along with others has its name once one of them is filled in. @param {HTMLFormElement} form */
function nameCompanions(form) {
  const filled = [...new FormData(form)].filter(([, value]) => value !== "").map(([name]) => name);
  for (const field of form.querySelectorAll("[data-with]")) {
    const { name = "", with: others = "" } = /** @type {HTMLElement} */ (field).dataset;
    const isNeeded = filled.some((other) => other !== name && other.startsWith(others));
    /** @type {HTMLInputElement} */ (field).name = isNeeded ? name : "";
  }
}

// Before the form itself hears of it.
addEventListener("submit", ({ target }) => nameCompanions(/** @type {HTMLFormElement} */ (target)), { capture: true });

for (const button of document.querySelectorAll("[data-fills]")) {
  button.addEventListener("click", () => {
    const { fills = "" } = /** @type {HTMLElement} */ (button).dataset;
    const field = /** @type {HTMLTextAreaElement} */ (document.getElementById(fills));
    field.value ||= button.textContent?.trim() ?? "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

for (const choice of document.querySelectorAll("select[name=document_kind]")) {
  const kind = /** @type {HTMLSelectElement} */ (choice);
  kind.addEventListener("change", () => {
    for (const file of kind.form?.querySelectorAll("[data-document]") ?? []) {
      /** @type {HTMLElement} */ (file).dataset.document = kind.value;
    }
  });
}
