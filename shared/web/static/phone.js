/**
 * The beginning of every page of the phone: holds on to what is submitted, and lets the rest come after the page
 * is on the screen.
 */

/** @type {NodeListOf<HTMLFormElement>} */
const forms = document.querySelectorAll("form[data-command]");
const caseId = /^\/m\/cases\/([0-9a-f-]{36})/.exec(location.pathname)?.[1];

for (const form of forms) {
  for (const name of ["command", "next"]) {
    if (caseId) form.dataset[name] = form.dataset[name]?.replace("{case_id}", caseId);
  }
  form.noValidate = true;
  form.addEventListener("input", () => (form.dataset.typed = ""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { submit } = await import("./phone-submit.js");
    await submit(form);
  });
}

await new Promise((resolve) => (document.readyState === "complete" ? resolve(null) : addEventListener("load", resolve)));
navigator.serviceWorker?.register("/sw.js", { scope: "/m", type: "module" });
const { start } = await import("./phone-start.js");
await start(forms);
