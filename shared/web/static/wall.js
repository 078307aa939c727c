/** The wall: figures that are always there, told live, or greyed with their age, or of an earlier evening. */

import { Live } from "./wall-live.js";
import { Past } from "./wall-past.js";
import { Reads } from "./wall-reads.js";
import { Tiles, tell } from "./wall-tiles.js";
import { age, clock, say } from "./wall-words.js";

const TICK_MS = 1_000;
const REFUSALS = { 401: "signed_out", 403: "refused", 404: "refused" };

const at = (id) => document.getElementById(id);
const main = at("main");
const { unit, base } = main.dataset;
const seesCases = main.dataset.seesCases === "true";

const reads = new Reads({ unit, seesCases, openStates: main.dataset.openStates.split(" ") });
const tiles = new Tiles({ base, unit, seesCases });
const live = new Live(reads, unit, paint);
const past = new Past(reads, paint);

function paint() {
  const figures = past.figures ?? live.figures;
  if (figures) tiles.paint(figures, past.until);
  main.classList.toggle("past", past.figures !== null);
  stand();
}

/** Says whether the figures are of now; figures of an earlier evening don't grow old. */
function stand() {
  const { live: isLive, since, status } = live.standing;
  main.classList.toggle("stale", !isLive && past.figures === null);
  at("sign-in").hidden = status !== 401;
  if (past.figures) {
    tell(at("state"), say("looking_back"));
    tell(at("age"), "");
    return;
  }
  if (!live.figures && !status) return;
  tell(at("state"), say(isLive ? "live" : (REFUSALS[status] ?? "lost")));
  if (Number.isFinite(since)) tell(at("age"), isLive ? say("updated", { time: clock(since) }) : age(Date.now() - since));
}

if (seesCases) reads.names().then((names) => (tiles.call(names), paint()), () => {});
live.run();
setInterval(stand, TICK_MS);
