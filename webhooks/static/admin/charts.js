// Draws each chart from the table of its numbers, in the colours of the style sheet.

const drawn = new Map();
const STEEP = 30;
const KINDS = { told: "", bars: "bar", across: "bar", lines: "line", area: "line" };

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const WRITE = {
  money: (value) => `${value < 0 ? "-" : ""}$${amount(Math.abs(value))}`,
  share: (value) => `${trimmed(value, 2)} %`,
  millis: (value) => (value >= 1000 ? `${trimmed(value / 1000, 1)} s` : `${Math.round(value)} ms`),
  count: (value) => trimmed(value, 1),
};

function amount(value) {
  if (value >= 10000) return `${trimmed(value / 1000, 1)}k`;
  const cents = Number.isInteger(value) ? 0 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: cents, maximumFractionDigits: value < 1 ? 4 : 2 });
}

const trimmed = (value, places) => value.toLocaleString("en", { maximumFractionDigits: places });

export function draw(place) {
  const figures = place.matches?.(".chart") ? [place] : place.querySelectorAll(".chart");
  for (const figure of figures) drawOne(figure);
}

export function redraw() {
  for (const [canvas, { chart }] of [...drawn]) { // a copy: each is put back
    chart.destroy();
    drawn.delete(canvas);
    if (canvas.isConnected) drawOne(canvas.closest(".chart"));
  }
}

function drawOne(figure) {
  for (const [canvas, { chart }] of [...drawn]) {
    if (canvas.isConnected) continue;
    chart.destroy();
    drawn.delete(canvas);
  }
  const [canvas, table] = [figure.querySelector("canvas"), figure.querySelector("table")];
  if (!canvas || !table || !globalThis.Chart) return;
  const known = drawn.get(canvas);
  const shape = `${table.dataset.goals} ${[...table.tHead.rows[0].cells].map((cell) => cell.textContent).join()}`;
  if (known && known.shape === shape) {
    refresh(known.chart, table);
    return;
  }
  known?.chart.destroy();
  drawn.set(canvas, { chart: new globalThis.Chart(canvas, configuration(table)), shape });
}

function refresh(chart, table) {
  const fresh = data(table);
  chart.data.labels = fresh.labels;
  fresh.datasets.forEach((each, number) => { chart.data.datasets[number].data = each.data; });
  chart.update();
}

function data(table) {
  const rows = [...table.tBodies[0].rows];
  const labels = rows.map((row) => row.cells[0].textContent.trim());
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const datasets = heads.map((head, number) => series(table, head, rows.map((row) => read(row.cells[number + 1]))))
    .filter((each) => each.type);
  const goals = JSON.parse(table.dataset.goals).map((goal) => level(goal, rows.length));
  return { labels, datasets: [...datasets, ...goals] };
}

const read = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));

function series(table, head, values) {
  const { tone, unit, shape } = head.dataset;
  const colour = token(`--tone-${tone}`);
  const line = shape === "lines" || shape === "area";
  return {
    type: KINDS[shape], label: head.textContent.trim(), data: values, unit,
    yAxisID: table.dataset.shape === "across" ? undefined : head.dataset.axis,
    borderColor: line ? colour : token("--surface"), backgroundColor: shape === "area" ? `${colour}55` : colour,
    borderWidth: line ? 2 : table.dataset.stacked === undefined ? 0 : 1, borderRadius: line ? 0 : 3, maxBarThickness: 34,
    fill: shape === "area" ? "stack" : false, cubicInterpolationMode: "monotone", pointRadius: (point) => (alone(point) ? 3 : 0), pointHitRadius: 12,
    spanGaps: false, clip: line ? 4 : undefined, stack: stackOf(table, head), order: line ? 0 : 1,
  };
}

// A point without neighbours is seen as a dot, since no line leads to it.
function alone({ dataset: { data }, dataIndex: at }) {
  return (data[at] ?? null) !== null && (data[at - 1] ?? null) === null && (data[at + 1] ?? null) === null;
}

// Lines stand by themselves; bars and areas on each other where that is asked for.
function stackOf(table, head) {
  const alone = head.dataset.shape === "lines" || table.dataset.stacked === undefined;
  return alone ? head.textContent : "all";
}

function level({ name, value }, length) {
  const colour = token("--tone-goal");
  return {
    type: "line", label: name, data: Array(length).fill(value), yAxisID: "y", borderColor: colour, backgroundColor: colour,
    borderWidth: 1.500, borderDash: [6, 4], pointRadius: 0, pointHitRadius: 0, fill: false, stack: name, order: -1, goal: true,
  };
}

function configuration(table) {
  const { shape, unit } = table.dataset;
  const across = shape === "across";
  const content = data(table);
  return {
    type: KINDS[shape],
    data: content,
    options: {
      indexAxis: across ? "y" : "x",
      responsive: true,
      maintainAspectRatio: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? false : { duration: 300 },
      interaction: { mode: "index", axis: across ? "y" : "x", intersect: false },
      font: { family: token("--font") },
      plugins: { legend: legend(content), tooltip: tooltip(across) },
      scales: across ? lying(unit) : upright(table, content),
    },
  };
}

const text = () => ({ family: token("--font"), size: 12 });

function legend({ datasets }) {
  return {
    display: datasets.length > 1, position: "bottom", align: "start",
    labels: { color: token("--text"), font: text(), boxWidth: 10, boxHeight: 10, padding: 12, sort: (a, b) => a.datasetIndex - b.datasetIndex, usePointStyle: true, pointStyleWidth: 16, generateLabels: keys },
  };
}

// Each entry of the legend looks like what it stands for: a line, a dashed one, or a block.
function keys(chart) {
  return globalThis.Chart.defaults.plugins.legend.labels.generateLabels(chart).map((entry) => {
    const { type, fill, borderColor, borderDash } = chart.data.datasets[entry.datasetIndex];
    if (type !== "line" || fill) return { ...entry, pointStyle: "rectRounded" };
    return { ...entry, pointStyle: "line", strokeStyle: borderColor, lineWidth: 2.5, lineDash: borderDash ? [4, 3] : [] };
  });
}

function tooltip(across) {
  return {
    backgroundColor: token("--raised"), titleColor: token("--text"), bodyColor: token("--text"), borderColor: token("--line-strong"),
    borderWidth: 1, padding: 10, boxPadding: 4, usePointStyle: true, titleFont: text(), bodyFont: text(),
    callbacks: {
      label: ({ dataset, parsed }) => {
        const value = across ? parsed.x : parsed.y;
        return ` ${dataset.label}: ${value === null ? "-" : (WRITE[dataset.unit] ?? String)(value)}`;
      },
    },
  };
}

function axis(unit, more = {}) {
  return {
    grid: { color: token("--line"), tickLength: 0 }, border: { display: false }, beginAtZero: true,
    ticks: { color: token("--quiet"), font: text(), maxTicksLimit: 6, padding: 6, callback: WRITE[unit] },
    ...more,
  };
}

function names() {
  return {
    grid: { display: false }, border: { color: token("--line-strong") }, stacked: true,
    ticks: { color: token("--quiet"), font: text(), maxRotation: 0, autoSkip: true, autoSkipPadding: 14 },
  };
}

const lying = (unit) => ({ x: axis(unit), y: { ...names(), ticks: { ...names().ticks, autoSkip: false, color: token("--text") } } });

function upright(table, { datasets }) {
  const { unit, stacked } = table.dataset;
  const other = datasets.find((each) => each.yAxisID === "other");
  const steep = unit === "millis" && spread(table) > STEEP;
  const scales = { x: { ...names(), stacked: stacked !== undefined }, y: axis(unit, { stacked: stacked !== undefined, ...(steep ? { type: "logarithmic", beginAtZero: false, afterBuildTicks: roundly } : room(table)) }) };
  if (other) scales.other = axis(other.unit, { position: "right", beginAtZero: false, grace: "20%", grid: { display: false } });
  return scales;
}

// On such an axis 1, 2 and 5 of each power of ten are written.
function roundly(scale) {
  scale.ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(scale.min)); power <= scale.max; power *= 10) {
    for (const value of [power, 2 * power, 5 * power]) {
      if (value >= scale.min && value <= scale.max) scale.ticks.push({ value });
    }
  }
}

// How many times the least duration the greatest is: where it is many, each step up multiplies.
function spread(table) {
  const values = [...table.querySelectorAll("td[data-value]")].map(read).filter((value) => value > 0);
  return values.length ? Math.max(...values) / Math.min(...values) : 1;
}

// Shares near everything are looked at closely, not from nothing.
function room(table) {
  const values = [...table.querySelectorAll("td[data-value]")].map(read).filter((value) => value !== null);
  const goals = JSON.parse(table.dataset.goals).map((goal) => goal.value);
  const least = Math.min(...values, ...goals);
  if (table.dataset.unit !== "share" || least < 90 || table.dataset.stacked !== undefined) return {};
  return { beginAtZero: false, suggestedMin: Math.max(0, least - (100 - least) * 0.25), max: 100 };
}
