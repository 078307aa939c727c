/** The page of a case: the timeline goes along with the slider, and what can only be done now goes with the past. */

import { Slider } from "./audit-slider.js";

const timeline = document.querySelector(".timeline");
/** @type {Map<number, HTMLElement[]>} */
const events = new Map();
for (const event of timeline.children) {
  const step = Number(event.dataset.step);
  events.set(step, [...(events.get(step) ?? []), event]);
}

const slider = new Slider(document.querySelector("[data-slider]"), (step, before) => {
  for (let each = Math.min(step, before) + 1; each <= Math.max(step, before); each += 1) {
    for (const event of events.get(each)) event.hidden = each > step;
  }
  mark(before, false);
  mark(step, true);
  reveal(step);
  document.querySelector("main").classList.toggle("in-past", slider.past);
  for (const part of document.querySelectorAll("[data-only-now]")) part.hidden = slider.past;
  for (const link of document.querySelectorAll("a[data-at]")) link.search = slider.pinned;
  for (const link of document.querySelectorAll("a[data-shown]")) link.search = slider.address;
});

reveal(slider.step);

function reveal(step) {
  const [current] = events.get(step);
  timeline.scrollTop = current.offsetTop - timeline.clientHeight / 2;
}

function mark(step, is) {
  for (const event of events.get(step)) {
    if (is) event.setAttribute("aria-current", "step");
    else event.removeAttribute("aria-current");
    event.querySelector(".what").tabIndex = is ? 0 : -1;
  }
}

timeline.addEventListener("click", (event) => {
  const chosen = event.target.closest("li");
  if (chosen) slider.go(Number(chosen.dataset.step));
});

timeline.addEventListener("keydown", (event) => {
  const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!way) return;
  event.preventDefault();
  slider.go(slider.step + way);
  events.get(slider.step)[0].querySelector(".what").focus({ preventScroll: true });
});
