/* global echarts */
/** The two charts of the wall: each made once, and told new numbers for as long as the page lives. */

import { count, known } from "./wall-words.js";

const SMALL = 0.75; // Of the size of text on this screen.
const KEPT_BACK = { value: 0, itemStyle: { borderWidth: 0 }, label: { show: true } }; // No bar, but a mark.

/** A colour of the tokens as this theme has it. */
function colour(element, token) {
  element.style.color = `var(--${token})`;
  const found = getComputedStyle(element).color;
  element.style.color = "";
  return found;
}

const textSize = () => parseFloat(getComputedStyle(document.documentElement).fontSize) * SMALL;

let loading;

/** What draws the charts takes long to be read, so it comes when the figures are on the screen. */
function library() {
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = document.getElementById("charts").href;
    script.onload = resolve;
    requestAnimationFrame(() => setTimeout(() => document.head.append(script)));
  });
  return loading;
}

/** A chart that keeps to the size of its place, and of its text. */
class Chart {
  #chart;
  #element;
  #series;
  #told;

  /** @param {HTMLElement} element @param {(token: (name: string) => string, size: number) => object[]} series */
  constructor(element, series) {
    this.#element = element;
    this.#series = series;
  }

  #draw() {
    this.#chart = echarts.init(this.#element);
    new ResizeObserver(() => this.#fit()).observe(this.#element.parentElement);
    this.#fit();
    this.#chart.setOption(this.#told);
  }

  #fit() {
    const token = (name) => colour(this.#element, name);
    const size = textSize();
    const axisLabel = { color: token("ink-soft"), fontSize: size, hideOverlap: true };
    const lineStyle = { color: token("line") };
    this.#chart.resize();
    this.#chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: size * 3, right: size, top: size * 1.4, bottom: size * 1.8 },
      xAxis: { type: "category", axisLabel, axisLine: { lineStyle }, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: 1, splitNumber: 3, axisLabel, splitLine: { lineStyle } },
      series: this.#series(token, size),
    });
  }

  /** @param {string[]} days @param {any[][]} data by series */
  show(days, ...data) {
    const shortDays = days.map((day) => `${Number(day.slice(5, 7))}/${Number(day.slice(8))}`);
    const first = !this.#told;
    this.#told = { xAxis: { data: shortDays }, series: data.map((values) => ({ data: values })) };
    if (first) library().then(() => this.#draw());
    else this.#chart?.setOption(this.#told);
  }
}

/** Bars of what came and left, told apart by filling as well as by colour. */
export function bars(element) {
  const chart = new Chart(element, (token, size) => {
    const label = { show: false, position: "top", color: token("ink-soft"), fontSize: size, formatter: "*" };
    const outlined = { color: "transparent", borderColor: token("good"), borderWidth: size / 6 };
    return [
      { type: "bar", itemStyle: { color: token("accent") }, label },
      { type: "bar", itemStyle: outlined, label },
    ];
  });
  const values = (days, name) => days.map((day) => known(day[name]) ?? KEPT_BACK);
  return (days) => chart.show(days.map((day) => day.on), values(days, "came"), values(days, "left"));
}

/** The backlog day by day; the window stays as wide when only its beginning is shown. */
export function line(element) {
  const chart = new Chart(element, (token, size) => [
    {
      type: "line",
      symbol: "none",
      lineStyle: { color: token("accent"), width: size / 5 },
      areaStyle: { color: token("accent-soft") },
    },
  ]);
  return (window, days) => {
    const open = new Map(days.map((day) => [day.on, known(day.open)]));
    chart.show(window, window.map((day) => open.get(day) ?? null));
  };
}

/** The least and the most of the backlog, in words; a number that is kept back may be the least. */
export function extremes(days) {
  const numbers = days.map((day) => known(day.open));
  const told = numbers.filter((number) => number !== null);
  if (!told.length) return null;
  const least = numbers.includes(null) ? { suppressed: true } : Math.min(...told);
  return { least: count(least), most: count(Math.max(...told)) };
}
