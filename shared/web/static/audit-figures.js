/** The page of figures: they go along with the slider. */

import { Slider } from "./audit-slider.js";

const slider = new Slider(document.querySelector("[data-slider]"), () => {
  document.querySelector("main").classList.toggle("in-past", slider.past);
  for (const link of document.querySelectorAll("a[data-at]")) link.search = slider.pinned;
});
