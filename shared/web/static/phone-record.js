/** Recording a problem: a title from the first sentence, cases that may be the same, the place where one stands. */

const TITLE_MAX = 40;
const SENTENCE = /^[^。！？!?.；;\n]+/;
const DECIMALS = 4; // about ten metres

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const opening = /** @type {HTMLFormElement} */ (at("opening"));
const visit = /** @type {HTMLFormElement} */ (at("visit"));
const description = /** @type {HTMLTextAreaElement} */ (at("description"));
const title = /** @type {HTMLInputElement} */ (at("title"));
const findings = /** @type {HTMLTextAreaElement} */ (at("findings"));
let derived = title.value;

description.addEventListener("input", () => {
  // A title that somebody has written stays.
  if (title.value !== derived) return;
  derived = (SENTENCE.exec(description.value.trim())?.[0] ?? "").slice(0, TITLE_MAX);
  title.value = derived;
});

function showAlike() {
  const chosen = new FormData(opening);
  let found = 0;
  for (const item of at("alike").querySelectorAll("li")) {
    item.hidden = item.dataset.category !== chosen.get("category") || item.dataset.origin !== chosen.get("origin_unit");
    found += item.hidden ? 0 : 1;
  }
  at("alike").hidden = found === 0;
}
opening.addEventListener("change", showAlike);
opening.addEventListener("restored", showAlike);
showAlike();

/** @param {boolean} isVisit */
function exchange(isVisit) {
  opening.hidden = isVisit;
  visit.hidden = !isVisit;
  (isVisit ? findings : description).focus();
}

for (const button of at("alike").querySelectorAll("button")) {
  button.addEventListener("click", () => {
    visit.dataset.command = `/v1/cases/${button.dataset.case}/record-visit`;
    at("visit-case").textContent = button.dataset.title ?? "";
    if (!findings.value) findings.value = description.value;
    exchange(true);
  });
}
at("not-this").addEventListener("click", () => exchange(false));

if (navigator.geolocation) {
  const here = at("here");
  here.hidden = false;
  here.addEventListener("click", () =>
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      const place = /** @type {HTMLInputElement} */ (at("note"));
      const found = [coords.latitude, coords.longitude].map((part) => part.toFixed(DECIMALS)).join(", ");
      place.value = [place.value, found].filter(Boolean).join(" ");
      place.dispatchEvent(new Event("input", { bubbles: true }));
    }),
  );
}
