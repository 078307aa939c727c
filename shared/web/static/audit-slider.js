/** A slider over the moments of a page: what is different at each is fetched once, kept, and fetched ahead. */

const AHEAD = 3;
const KEPT = 500;
const PLAYED_MS = 900;
const SETTLED_MS = 250;

/** The parts of the page at each moment, by its query. */
class Parts {
  #kept = new Map();

  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }

  /** @param {string} query @returns {Promise<HTMLTemplateElement>} */
  get(query) {
    let found = this.#kept.get(query);
    if (!found) {
      found = fetched(`${this.path}${this.path.includes("?") ? "&" : "?"}${query}`);
      found.catch(() => this.#kept.delete(query));
      this.#kept.set(query, found);
      if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
    }
    return found;
  }
}

/** @param {string} address @returns {Promise<HTMLTemplateElement>} */
async function fetched(address) {
  const answer = await fetch(address);
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  // Whoever isn't signed in any more was sent to another page.
  if (answer.redirected) location.reload();
  if (!answer.ok) template.innerHTML = refusal(template);
  return template;
}

/** What is shown of a moment that is refused: the words of the page that says so. */
function refusal(page) {
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.textContent = page.content.querySelector("main p")?.textContent ?? "";
  const emptied = [...document.querySelectorAll("main [data-part]")].map((part) => part.dataset.part);
  return emptied
    .map((part) => `<div data-part="${part}">${part === "banner" ? notice.outerHTML : ""}</div>`)
    .join("");
}

/** @param {HTMLTemplateElement} template */
function fill(template) {
  for (const part of template.content.cloneNode(true).querySelectorAll("[data-part]")) {
    document.querySelector(`main [data-part="${part.dataset.part}"]`)?.replaceChildren(...part.childNodes);
  }
}

export class Slider {
  #shown;
  #following = false;
  #direction = -1;
  #settling = 0;
  #playing = 0;

  /**
   * @param {HTMLElement} root
   * @param {(step: number, before: number) => void} moved is told of every move, before the parts are there
   */
  constructor(root, moved) {
    this.root = root;
    this.moved = moved;
    this.range = root.querySelector("input[type=range]");
    this.output = root.querySelector(".said");
    this.play = root.querySelector("[data-go=play]");
    /** @type {[string, string][]} */
    this.steps = JSON.parse(root.dataset.steps);
    this.parts = new Parts(root.dataset.parts);
    this.step = this.#shown = Number(this.range.value);
    this.range.addEventListener("input", () => this.go(Number(this.range.value)));
    root.addEventListener("click", (event) => this.#press(event.target.closest("[data-go]")?.dataset.go));
  }

  get last() {
    return this.steps.length;
  }

  get past() {
    return this.step < this.last;
  }

  /** By what query the page shows the moment that is chosen. */
  get address() {
    return this.#asked(this.past ? this.#query(this.step) : this.root.dataset.now);
  }

  /** The same, but now by its own moment as well: what is seen, whatever comes later. */
  get pinned() {
    return this.#asked(this.#query(this.step));
  }

  #query(step) {
    return this.steps[step - 1][0];
  }

  /** What the page shows beside the moment stays asked for. */
  #asked(query) {
    const parameters = new URLSearchParams(query);
    for (const [name, value] of new URLSearchParams(this.root.dataset.parts.split("?")[1])) {
      parameters.set(name, value);
    }
    return parameters.size ? `?${parameters}` : "";
  }

  go(step) {
    const before = this.step;
    this.step = Math.min(Math.max(step, 1), this.last);
    if (this.step === before) return;
    this.#direction = Math.sign(this.step - before);
    this.range.value = this.step;
    const said = this.root.dataset.said
      .replace("{steps}", this.last)
      .replace("{step}", this.step)
      .replace("{said}", this.steps[this.step - 1][1]);
    this.output.textContent = said;
    this.range.setAttribute("aria-valuetext", said);
    this.moved(this.step, before);
    this.#follow();
  }

  #press(go) {
    if (!go) return;
    if (go === "play") return this.#playing ? this.#pause() : this.#start();
    this.#pause();
    this.go({ first: 1, back: this.step - 1, on: this.step + 1, last: this.last }[go]);
  }

  #start() {
    if (!this.past) this.go(1);
    this.#rename();
    this.#playing = setInterval(() => {
      if (this.#following) return;
      this.go(this.step + 1);
      if (!this.past) this.#pause();
    }, PLAYED_MS);
  }

  #pause() {
    if (!this.#playing) return;
    clearInterval(this.#playing);
    this.#playing = 0;
    this.#rename();
  }

  #rename() {
    const words = this.play.textContent;
    this.play.textContent = this.play.dataset.other;
    this.play.dataset.other = words;
  }

  /** Shows moments until the chosen one is shown, however often that changes meanwhile. */
  async #follow() {
    if (this.#following) return;
    this.#following = true;
    try {
      while (this.#shown !== this.step) {
        const step = this.step;
        fill(await this.#at(step));
        this.#shown = step;
        this.root.dataset.shown = step;
      }
    } finally {
      this.#following = false;
    }
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settled(), SETTLED_MS);
    this.#fetchAhead();
  }

  #at(step) {
    return this.parts.get(this.#query(step) + (step === this.last ? "&now=1" : ""));
  }

  async #fetchAhead() {
    const from = this.step;
    for (let further = 1; further <= AHEAD && this.step === from; further += 1) {
      const step = from + further * this.#direction;
      if (step >= 1 && step <= this.last) await this.#at(step);
    }
  }

  /** The address names the moment, so that it can be passed on; not at every step, of which there may be many. */
  #settled() {
    history.replaceState(null, "", `${location.pathname}${this.address}`);
  }
}
