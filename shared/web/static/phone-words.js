/** The words that the page brings along, and moments as people in China say them. */

/** @param {string} name @param {Record<string, string | number>} [values] @returns {string} */
export function word(name, values = {}) {
  const all = /** @type {HTMLTemplateElement | null} */ (document.getElementById("offline-words"));
  const said = all?.content.querySelector(`[data-word="${name}"]`)?.textContent ?? name;
  return said.replace(/{(\w+)}/g, (whole, value) => String(values[value] ?? whole));
}

/** @param {number | string} when @returns {string} */
export function moment(when) {
  const how = /** @type {const} */ ({ timeZone: "Asia/Shanghai", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const { lang } = document.documentElement;
  // As all other moments on the page: the day before its month, 24 hours.
  return new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, how).format(new Date(when));
}

/**
 * @param {string} tag @param {string} [className] @param {...(Node | string)} inside
 * @returns {HTMLElement}
 */
export function element(tag, className = "", ...inside) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}

/** @param {string} words @param {string} kind of button @param {() => unknown} press */
export function button(words, kind, press) {
  const made = /** @type {HTMLButtonElement} */ (element("button", `button ${kind}`.trim(), words));
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

/** A notice at the top of something. @param {Element} place @param {string} name @param {string} kind @param {...(Node | string)} inside */
export function notice(place, name, kind, ...inside) {
  place.querySelector(`:scope > [data-notice="${name}"]`)?.remove();
  const made = element("div", `notice ${kind}`, element("p", "", ...inside));
  made.dataset.notice = name;
  made.setAttribute("role", kind === "bad" ? "alert" : "status");
  place.prepend(made);
}
