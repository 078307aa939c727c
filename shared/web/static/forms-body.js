/**
 * From the fields of a form to the body of a command, and from a refusal back to the fields.
 *
 * A name is a path into the body (`people/0/name`); `data-type` says `bool`, `int` or `list` of what isn't text.
 * What is empty is left out, and so is an entry of a list of which nothing was answered.
 *
 * @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field
 */

/** @param {HTMLFormElement} form @returns {Field[]} those that an answer is read from */
const fields = (form) =>
  /** @type {Field[]} */ ([...form.elements]).filter(({ name, type }) => name && !["file", "submit", "button"].includes(type));

/** @param {Field} field */
const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

/** @param {HTMLFormElement} form @returns {Record<string, any>} */
export function bodyOf(form) {
  const body = {};
  const all = fields(form);
  for (const field of all) {
    const value = valueOf(field);
    if (value !== undefined && !isUnanswered(field, all)) put(body, field.name.split("/"), value, field.dataset.type === "list");
  }
  return /** @type {Record<string, any>} */ (dense(body));
}

/**
 * Whether it only goes with answers that weren't given, as somebody's part in the matter goes with their name.
 * @param {Field} field @param {Field[]} all
 */
function isUnanswered(field, all) {
  const [entry] = /^.*?\/\d+\//.exec(field.name) ?? [];
  const asked = all.filter(({ name, type }) => entry && name.startsWith(entry) && type !== "hidden");
  return asked.length > 0 && asked.every((other) => valueOf(other) === undefined);
}

/** @param {Field} field @returns {unknown} undefined where it says nothing */
function valueOf(field) {
  const type = field.dataset.type;
  const isTicked = /** @type {HTMLInputElement} */ (field).checked;
  if ((isChoice(field) && !isTicked) || field.value.trim() === "") return undefined;
  if (type === "bool") return field.value === "true";
  if (type === "int") return Number(field.value);
  if (field instanceof HTMLSelectElement && field.multiple) return [...field.selectedOptions].map(({ value }) => value);
  return field.value.trim();
}

/** @param {any} body @param {string[]} path @param {unknown} value @param {boolean} isList */
function put(body, [step, ...rest], value, isList) {
  if (rest.length) put((body[step] ??= {}), rest, value, isList);
  else if (isList) body[step] = [...(body[step] ?? []), ...(Array.isArray(value) ? value : [value])];
  else body[step] = value;
}

/** Objects whose names are numbers are lists. @param {any} value @returns {any} */
function dense(value) {
  if (typeof value !== "object" || Array.isArray(value)) return value;
  const steps = Object.keys(value);
  if (steps.length && steps.every((step) => /^\d+$/.test(step))) return steps.sort((a, b) => Number(a) - Number(b)).map((step) => dense(value[step]));
  return Object.fromEntries(steps.map((step) => [step, dense(value[step])]));
}

/** @param {HTMLFormElement} form @returns {[string, string][]} the questions that were answered, as somebody sees them */
export function shownOf(form) {
  return fields(form)
    .filter((field) => field.type !== "hidden" && valueOf(field) !== undefined)
    .map((field) => {
      const own = question(field.labels?.[0]);
      if (isChoice(field)) return [question(field.closest("fieldset")?.querySelector("legend")), own];
      const chosen = field instanceof HTMLSelectElement ? field.selectedOptions[0]?.text : field.value.trim();
      return [own, chosen ?? ""];
    });
}

/** Without what is said of it in passing. @param {Element | null | undefined} label @returns {string} */
function question(label) {
  const copy = /** @type {Element | undefined} */ (label?.cloneNode(true));
  copy?.querySelectorAll(".soft").forEach((aside) => aside.remove());
  return copy?.textContent?.trim() ?? "";
}

/** @param {HTMLFormElement} form @returns {[string, string][]} all that was typed or chosen, to be put back later */
export const entriesOf = (form) =>
  fields(form)
    .filter((field) => field.type !== "hidden" && (!isChoice(field) || /** @type {HTMLInputElement} */ (field).checked))
    .flatMap((field) =>
      field instanceof HTMLSelectElement && field.multiple
        ? [...field.selectedOptions].map(({ value }) => /** @type {[string, string]} */ ([field.name, value]))
        : [/** @type {[string, string]} */ ([field.name, field.value])],
    );

/** @param {HTMLFormElement} form @param {[string, string][]} entries */
export function putBack(form, entries) {
  for (const field of fields(form).filter(({ type }) => type !== "hidden")) {
    const values = entries.filter(([name]) => name === field.name).map(([, value]) => value);
    if (isChoice(field)) /** @type {HTMLInputElement} */ (field).checked = values.includes(field.value);
    else if (field instanceof HTMLSelectElement) for (const option of field.options) option.selected = values.includes(option.value);
    else if (values.length) field.value = values[0];
  }
  form.dispatchEvent(new Event("restored", { bubbles: true }));
}

/** @param {HTMLFormElement} form @returns {{field: HTMLInputElement, file: File}[]} */
export const photosOf = (form) =>
  [...form.querySelectorAll("input[type=file][data-document]")].flatMap((input) => {
    const field = /** @type {HTMLInputElement} */ (input);
    return [...(field.files ?? [])].map((file) => ({ field, file }));
  });

/** @param {HTMLFormElement} form */
export function clearErrors(form) {
  for (const told of form.querySelectorAll(".wrong[data-told]")) told.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    describe(field, described(field).filter((id) => document.getElementById(id)));
  }
}

let told = 0;

/**
 * Tells each error beside its field.
 * @param {HTMLFormElement} form
 * @param {{pointer: string, detail: string}[]} errors
 * @returns {string[]} what belongs to no field of the form
 */
export function showErrors(form, errors) {
  clearErrors(form);
  const elsewhere = [];
  for (const { pointer, detail } of errors) {
    const field = fieldAt(form, pointer.replace(/^\//, ""));
    if (field) tellBeside(field, `wrong-${(told += 1)}`, detail);
    else elsewhere.push(detail);
  }
  /** @type {HTMLElement | null} */ (form.querySelector("[aria-invalid]"))?.focus();
  return elsewhere;
}

/**
 * Tells beside each field that is empty or can't be right that it is, without asking anybody.
 * @param {HTMLFormElement} form
 * @param {string} needed what is said of one that is empty; of others, what the browser says
 * @returns {boolean} whether there is one
 */
export function showWrong(form, needed) {
  clearErrors(form);
  const all = /** @type {Field[]} */ ([...form.elements]).filter((field) => field.willValidate && !field.validity.valid);
  // A choice is told once, whatever there is to choose from.
  const wrong = all.filter((field, index) => index === all.findIndex(({ name, id }) => (name || id) === (field.name || field.id)));
  for (const field of wrong) tellBeside(field, `wrong-${(told += 1)}`, field.validity.valueMissing ? needed : field.validationMessage);
  wrong[0]?.focus();
  return wrong.length > 0;
}

/** @param {HTMLFormElement} form @param {string} path @returns {Field | undefined} the one for it, or for what it is part of */
function fieldAt(form, path) {
  const all = fields(form).filter(({ type }) => type !== "hidden");
  return all.find(({ name }) => name === path) ?? all.find(({ name }) => name.startsWith(`${path}/`) || path.startsWith(`${name}/`));
}

/** @param {Field} field @param {string} id @param {string} detail */
function tellBeside(field, id, detail) {
  const wrong = document.createElement("p");
  Object.assign(wrong, { id, className: "wrong", textContent: detail });
  wrong.dataset.told = "";
  field.setAttribute("aria-invalid", "true");
  describe(field, [...described(field), id]);
  (field.closest(".field") ?? field.parentElement)?.append(wrong);
}

/** @param {Element} field @returns {string[]} the ids of what says more of it */
const described = (field) => field.getAttribute("aria-describedby")?.split(" ") ?? [];

/** @param {Element} field @param {string[]} ids */
function describe(field, ids) {
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}
