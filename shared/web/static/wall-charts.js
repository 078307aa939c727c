/* global echarts */
/** The two charts of the wall: each made once, and told new numbers for as long as the page lives. */

import { count, known } from "./wall-words.js";

const SMALL = 0.75; // Of the size of text on this screen.

/** A colour of the tokens as this theme has it. */
function colour(element, token) {
  element.style.color = `var(--${token})`;
  const found = getComputedStyle(element).color;
  element.style.color = "";
  return found;
}

const textSize = () => parseFloat(getComputedStyle(document.documentElement).fontSize) * SMALL;

/** A chart that keeps to the size of its place. */
class Chart {
  #chart;
  #axes;

  /** @param {HTMLElement} element @param {(colour: (token: string) => string) => object[]} series */
  constructor(element, series) {
    this.#chart = echarts.init(element);
    this.#axes = { ink: colour(element, "ink-soft"), line: colour(element, "line") };
    this.#fit();
    this.#chart.setOption({ animation: false, series: series((token) => colour(element, token)) });
    new ResizeObserver(() => this.#fit()).observe(element.parentElement);
  }

  #fit() {
    const { ink, line } = this.#axes;
    const size = textSize();
    const axisLabel = { color: ink, fontSize: size, hideOverlap: true };
    this.#chart.resize();
    this.#chart.setOption({
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: size * 3, right: size, top: size * 1.4, bottom: size * 1.8 },
      xAxis: { type: "category", axisLabel, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: 1, splitNumber: 3, axisLabel, splitLine: { lineStyle: { color: line } } },
    });
  }

  /** @param {string[]} days @param {any[][]} data by series */
  show(days, ...data) {
    const shortDays = days.map((day) => `${Number(day.slice(5, 7))}/${Number(day.slice(8))}`);
    this.#chart.setOption({ xAxis: { data: shortDays }, series: data.map((values) => ({ data: values })) });
  }
}

/** Bars of what came and left, told apart by filling as well as by colour. */
export function bars(element) {
  const chart = new Chart(element, (token) => [
    { type: "bar", data: [], itemStyle: { color: token("accent") }, label: mark(token("ink-soft")) },
    {
      type: "bar",
      data: [],
      itemStyle: { color: "transparent", borderColor: token("good"), borderWidth: 2 },
      label: mark(token("ink-soft")),
    },
  ]);
  const value = (each) => (known(each) === null ? { value: 0, itemStyle: { borderWidth: 0 }, label: { show: true } } : known(each));
  return (days) => {
    const [came, left] = [days.map((day) => value(day.came)), days.map((day) => value(day.left))];
    chart.show(days.map((day) => day.on), came, left);
  };
}

/** Where a number is kept back there is a mark and no bar. */
const mark = (color) => ({ show: false, position: "top", color, formatter: "*" });

/** The backlog day by day; the window stays as wide when only its beginning is shown. */
export function line(element) {
  const chart = new Chart(element, (token) => [
    {
      type: "line",
      data: [],
      symbol: "none",
      lineStyle: { color: token("accent"), width: 3 },
      areaStyle: { color: token("accent-soft") },
    },
  ]);
  return (window, days) => {
    const open = new Map(days.map((day) => [day.on, known(day.open)]));
    chart.show(window, window.map((day) => open.get(day) ?? null));
  };
}

/** The least and the most of the numbers that are known, in words. */
export function extremes(days) {
  const numbers = days.map((day) => known(day.open)).filter((each) => each !== null);
  return numbers.length ? { least: count(Math.min(...numbers)), most: count(Math.max(...numbers)) } : null;
}
