/** Every page of the phone: holds on to what is submitted, and does the rest once the page is on the screen. */

import "./forms-fields.js";
import "./phone-signature.js";
import { caseId } from "./phone-here.js";
import { start } from "./phone-start.js";
import { submit } from "./phone-submit.js";

/** @type {NodeListOf<HTMLFormElement>} */
const forms = document.querySelectorAll("form[data-command]");

for (const form of forms) {
  for (const name of ["command", "next"]) {
    if (caseId) form.dataset[name] = form.dataset[name]?.replace("{case_id}", caseId);
  }
  form.noValidate = true;
  form.addEventListener("input", () => (form.dataset.typed = ""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(form);
  });
}

await new Promise((resolve) => (document.readyState === "complete" ? resolve(null) : addEventListener("load", resolve)));
navigator.serviceWorker?.register("/sw.js", { scope: "/m", type: "module" });
await start(forms);
