// data_visualization blocks as SVG: line, area, bar and pie, with a table of the same figures for whoever wants words.

import { el, figure, svg } from "./dom.js";
import { plain } from "./mrkdwn.js";

const HEIGHT = 220;
const FIRST_WIDTH = 520;
const drawings = new WeakMap();
const widths = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const drawing = drawings.get(target);
    const width = Math.round(contentRect.width);
    if (drawing && width > 0 && width !== drawing.width) {
      drawing.width = width;
      target.replaceChildren(drawing.draw(width));
    }
  }
});

const number = (value) => figure(value, { maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2 });
const tickText = (value) => (Math.abs(value) >= 10000 ? figure(value, { notation: "compact", maximumFractionDigits: 1 }) : number(value));

export function chart(block) {
  const drawn = block.chart ?? {};
  const title = plain(block.title);
  const series = drawn.type === "pie" ? pieSeries(drawn) : axisSeries(drawn);
  const label = `${title}. ${summary(drawn, series)}`;
  const draw = drawn.type === "pie" ? () => pie(drawn, label) : (width) => axes(drawn, series, width, label);
  const stage = el("div", { class: "stage" }, draw(FIRST_WIDTH));
  drawings.set(stage, { draw, width: FIRST_WIDTH });
  widths.observe(stage);
  return el(
    "figure",
    { class: "chart", "data-chart": drawn.type },
    el("figcaption", {}, title),
    drawn.type === "pie"
      ? el("div", { class: "pie" }, stage, legend(drawn.segments.map(segmentName), "box"))
      : [stage, series.length > 1 || drawn.type !== "bar" ? legend(series.map((each) => each.name), drawn.type) : null],
    figures(drawn, series, title),
  );
}

function axisSeries(drawn) {
  const categories = drawn.axis_config?.categories ?? drawn.series?.[0]?.data.map((each) => each.label) ?? [];
  return (drawn.series ?? []).map((each) => {
    const values = new Map(each.data.map((point) => [point.label, point.value]));
    return { name: plain(each.name), categories, values: categories.map((name) => values.get(name) ?? null) };
  });
}

function pieSeries(drawn) {
  const categories = (drawn.segments ?? []).map((each) => each.label);
  return [{ name: "Value", categories, values: drawn.segments.map((each) => each.value) }];
}

const total = (drawn) => drawn.segments.reduce((sum, each) => sum + each.value, 0);
const share = (value, whole) => `${Math.round((value / whole) * 100)}%`;

function summary(drawn, series) {
  if (drawn.type === "pie") {
    const whole = total(drawn);
    const parts = drawn.segments.map((each) => `${plain(each.label)} ${number(each.value)} (${share(each.value, whole)})`);
    return `Pie chart: ${parts.join(", ")}.`;
  }
  const named = { line: "Line chart", area: "Area chart", bar: "Bar chart" }[drawn.type] ?? "Chart";
  const each = series.map(({ name, categories, values }) => {
    const known = values.filter((value) => value !== null);
    if (!known.length) return `${name}: nothing`;
    const last = values.length - 1;
    return (
      `${name}: from ${number(known[0])} (${categories[0]}) to ${number(known[known.length - 1])} (${categories[last]}), ` +
      `lowest ${number(Math.min(...known))}, highest ${number(Math.max(...known))}`
    );
  });
  return `${named}. ${each.join(". ")}.`;
}

/** Round steps that cover the values, zero among them. */
export function ticksFor(low, high, wanted = 5) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * step).toPrecision(12)));
}

function axes(drawn, series, width, label) {
  const values = series.flatMap((each) => each.values.filter((value) => value !== null));
  const ticks = ticksFor(Math.min(0, ...values), Math.max(0, ...values));
  const { x_label: across, y_label: up } = drawn.axis_config ?? {};
  const categories = series[0]?.categories ?? [];
  const room = Math.max(...ticks.map((each) => tickText(each).length)) * 6.6 + 10;
  const box = { left: room + (up ? 18 : 0), top: 10, right: width - 12, bottom: HEIGHT - (across ? 42 : 24) };
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  const slot = (box.right - box.left) / Math.max(1, categories.length);
  const x = (place) => box.left + slot * (place + 0.5);
  const picture = svg("svg", {
    class: "drawing",
    viewBox: `0 0 ${width} ${HEIGHT}`,
    width,
    height: HEIGHT,
    role: "img",
    "aria-label": label,
  });
  for (const tick of ticks) {
    const line = { x1: box.left, x2: box.right, y1: y(tick), y2: y(tick), class: tick === 0 ? "axis" : "grid" };
    picture.append(svg("line", line));
    picture.append(svg("text", { x: box.left - 7, y: y(tick) + 4, class: "tick end" }, tickText(tick)));
  }
  const widest = Math.max(1, ...categories.map((name) => plain(name).length)) * 6.3 + 10;
  const every = Math.max(1, Math.ceil(widest / slot));
  categories.forEach((name, place) => {
    if ((categories.length - 1 - place) % every) return;
    const half = widest / 2 - 4;
    const at = Math.min(Math.max(x(place), half), width - half);
    picture.append(svg("text", { x: at, y: box.bottom + 17, class: "tick middle" }, plain(name)));
  });
  if (across) picture.append(svg("text", { x: (box.left + box.right) / 2, y: HEIGHT - 5, class: "name middle" }, plain(across)));
  if (up) {
    const middle = (box.top + box.bottom) / 2;
    picture.append(svg("text", { x: 11, y: middle, class: "name middle", transform: `rotate(-90 11 ${middle})` }, plain(up)));
  }
  const drawSeries = { bar: bars, line: lines, area: lines }[drawn.type] ?? lines;
  drawSeries(picture, series, { x, y, slot, categories, filled: drawn.type === "area" });
  return picture;
}

const hint = (name, category, value) => svg("title", {}, `${name}, ${plain(category)}: ${number(value)}`);

function bars(picture, series, { x, y, slot, categories }) {
  const each = Math.min(44, slot * 0.74) / series.length;
  series.forEach(({ name, values }, order) => {
    values.forEach((value, place) => {
      if (value === null) return;
      const left = x(place) - (each * series.length) / 2 + each * order;
      const [top, bottom] = [Math.min(y(value), y(0)), Math.max(y(value), y(0))];
      const at = { x: left, y: top, width: Math.max(1, each - 1), height: Math.max(1, bottom - top), rx: 2 };
      picture.append(svg("rect", { ...at, class: `fill c${order % 12}` }, hint(name, categories[place], value)));
    });
  });
}

function lines(picture, series, { x, y, categories, filled }) {
  series.forEach(({ name, values }, order) => {
    const points = values.map((value, place) => (value === null ? null : [x(place), y(value)]));
    const runs = [];
    points.forEach((point, place) => {
      if (!point) return;
      if (place === 0 || !points[place - 1]) runs.push([]);
      runs[runs.length - 1].push(point);
    });
    for (const run of runs) {
      const path = run.map((point) => point.map((each) => each.toFixed(1)).join(" ")).join("L");
      if (filled) {
        const close = `L${run[run.length - 1][0].toFixed(1)} ${y(0)}L${run[0][0].toFixed(1)} ${y(0)}Z`;
        picture.append(svg("path", { d: `M${path}${close}`, class: `area c${order % 12}` }));
      }
      picture.append(svg("path", { d: `M${path}`, class: `line c${order % 12} dash${order % 4}` }));
    }
    points.forEach((point, place) => {
      if (!point) return;
      const dot = { cx: point[0], cy: point[1], r: order === 0 || runs.some((run) => run.length === 1) ? 2.6 : 0.1 };
      picture.append(svg("circle", { ...dot, class: `fill c${order % 12}` }));
      picture.append(svg("circle", { cx: point[0], cy: point[1], r: 9, class: "touch" }, hint(name, categories[place], values[place])));
    });
  });
}

const segmentName = (each, _place, all) => {
  const whole = all.reduce((sum, one) => sum + one.value, 0);
  return `${plain(each.label)}: ${number(each.value)} (${share(each.value, whole)})`;
};

function pie(drawn, label) {
  const whole = total(drawn);
  const picture = svg("svg", { class: "drawing", viewBox: "-100 -100 200 200", width: 190, height: 190, role: "img", "aria-label": label });
  let turned = 0;
  drawn.segments.forEach((each, order) => {
    const part = each.value / whole;
    const at = (turn) => [Math.sin(turn * 2 * Math.PI) * 94, -Math.cos(turn * 2 * Math.PI) * 94].map((one) => one.toFixed(2)).join(" ");
    const title = svg("title", {}, segmentName(each, order, drawn.segments));
    const paint = { class: `fill slice c${order % 12}` };
    if (part > 0.9999) picture.append(svg("circle", { r: 94, ...paint }, title));
    else {
      const path = `M0 0L${at(turned)}A94 94 0 ${part > 0.5 ? 1 : 0} 1 ${at(turned + part)}Z`;
      picture.append(svg("path", { d: path, ...paint }, title));
    }
    turned += part;
  });
  return picture;
}

function legend(names, kind) {
  return el(
    "ul",
    { class: "legend" },
    names.map((name, order) => {
      const sample = svg("svg", { width: 18, height: 10, "aria-hidden": "true" });
      if (kind === "line" || kind === "area") {
        sample.append(svg("path", { d: "M0 5L18 5", class: `line c${order % 12} dash${order % 4}` }));
      } else sample.append(svg("rect", { x: 4, width: 10, height: 10, rx: 2, class: `fill c${order % 12}` }));
      return el("li", {}, sample, name);
    }),
  );
}

function figures(drawn, series, title) {
  const heads = [plain(drawn.axis_config?.x_label) || "", ...series.map((each) => each.name)];
  const rows = () =>
    series[0].categories.map((name, place) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, plain(name)),
        series.map((each) => el("td", { class: "number" }, each.values[place] === null ? "" : number(each.values[place]))),
      ),
    );
  const details = el("details", { class: "figures" }, el("summary", {}, "Figures"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1 || !series.length) return;
    details.append(
      el(
        "div",
        { class: "scrolling", tabindex: "0", role: "group", "aria-label": `${title}: figures` },
        el(
          "table",
          {},
          el("caption", { class: "unseen" }, title),
          el("thead", {}, el("tr", {}, heads.map((name, place) => (name || place ? el("th", { scope: "col", class: place ? "number" : null }, name) : el("td"))))),
          el("tbody", {}, rows()),
        ),
      ),
    );
  });
  return details;
}
