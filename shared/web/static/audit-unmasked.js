/** What was shown in the clear doesn't stay once the page is left, not even for the way back. */

const back = document.querySelector("[data-back]").dataset.back;

addEventListener("pagehide", () => document.querySelector("main").replaceChildren());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.replace(back);
});
