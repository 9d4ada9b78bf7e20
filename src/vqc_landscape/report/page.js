// Glue between the page's controls and Plotly. Every number shown is in the page already; nothing is computed here but
// the height of the surface under a line that is drawn upon it.
"use strict";

// Values of the boxes of one name that are checked.
const checked = (form, name) => [...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value);

// --- filter of the verdicts ---

function filterVerdicts(form) {
  const rows = [...document.querySelectorAll("#verdicts tbody tr")];
  const update = () => {
    const [verdicts, conventions] = [checked(form, "verdict"), checked(form, "convention")];
    for (const row of rows) {
      row.hidden = !(verdicts.includes(row.dataset.verdict) && conventions.includes(row.dataset.convention));
    }
    form.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  };
  form.addEventListener("change", update);
  form.hidden = false;
  update();
}

// --- views: what a control shows. Each returns the function that puts the controls' state into the plot. ---

const decimals = (value, n) => value.toFixed(n).replace("-", "−");
const chosenRun = (form) => Number(form.querySelector("input[name$=-run]:checked")?.value ?? 0);

const KINDS = {
  spectrum({ form, plot, values, say }) {
    const slider = form.elements.epoch;
    return () => {
      const run = values.runs[chosenRun(form)];
      slider.max = run.epochs.length - 1;
      const at = Number(slider.value);
      slider.setAttribute("aria-valuetext", `epoch ${run.epochs[at]}`);
      form.querySelector("output").textContent = run.epochs[at];
      say(run.text[at]);
      return Plotly.restyle(plot, {
        x: [plot.data[0].x, plot.data[1].x, run.loss_epochs, [run.epochs[at]]],
        y: [run.zeros[at], run.others[at], run.loss, [run.loss_at[at]]],
        visible: [form.elements.structural.checked, true, true, true],
      });
    };
  },

  maps({ form, plot, values, say }) {
    return () => {
      const at = chosenRun(form);
      say(values.text[at]);
      return Plotly.restyle(plot, { z: [values.maps[at]] }, [0, 1]);
    };
  },

  curves({ form, plot }) {
    const boxes = () => [...form.querySelectorAll("input[name=seed]")].filter((box) => box.value !== "median");
    const update = () => {
      const [runs, seeds] = [checked(form, "run"), checked(form, "seed")];
      return Plotly.restyle(plot, {
        visible: plot.data.map(({ meta: [run, seed] }) => runs.includes(run) && seeds.includes(seed)),
      });
    };
    for (const [name, state] of [["all", true], ["none", false]]) {
      form.elements[name].addEventListener("click", () => {
        boxes().forEach((box) => { box.checked = state; });
        update();
      });
    }
    return update;
  },

  planes({ form, plot, values, say }) {
    return async () => {
      const run = values.runs[chosenRun(form)];
      const height = Number(form.querySelector("input[name$=-height]:checked")?.value ?? 0);
      const surface = run.heights[height].flat();
      const [low, high] = [Math.min(...surface), Math.max(...surface)];
      say(run.text[height]);
      await Plotly.restyle(plot, { x: [run.a], y: [run.b], z: [run.heights[height]], cmin: low, cmax: high, zmin: low, zmax: high }, [0]);
      const { a, b, heights, epochs } = run.path;
      await Plotly.restyle(plot, { x: [a], y: [b], z: [heights[height]], customdata: [epochs] }, [1]);
      const axes = plot.layout.scene ? "scene." : ""; // a map, where there is no WebGL
      return Plotly.relayout(plot, {
        [`${axes}xaxis.title.text`]: run.axes[0],
        [`${axes}yaxis.title.text`]: run.axes[1],
        ...(axes && { "scene.zaxis.title.text": values.heights[height] }),
      });
    };
  },

  landscape({ view, form, plot, values, say }) {
    const [sliderA, sliderB] = [form.elements.a, form.elements.b];
    const n = values.runs[0].axis.length;
    for (const slider of [sliderA, sliderB]) {
      slider.max = n - 1;
      slider.value = Math.round(0.45 * (n - 1));
    }
    let drawn = null; // the run whose surface is in the plot
    const update = async () => {
      const run = values.runs[chosenRun(form)];
      const [column, row] = [Number(sliderA.value), Number(sliderB.value)];
      const [a, b] = [run.axis[column], run.axis[row]];
      const pairs = run.pairs[row * n + column];
      for (const [slider, value] of [[sliderA, a], [sliderB, b]]) {
        slider.setAttribute("aria-valuetext", `${decimals(value, 2)} rad`);
      }
      const place = `At (${decimals(a, 2)}, ${decimals(b, 2)}) the loss is ${decimals(run.loss[row][column], 3)}; `;
      const words = (pairs ?? []).map(([value, x, y]) =>
        `eigenvalue ${decimals(value, 3)} rad⁻² along (${decimals(x, 2)}, ${decimals(y, 2)})`);
      say(place + (pairs === null ? "it has a cusp here, and so no Hessian."
        : words.length ? `${words.join("; ")}. All other eigenvalues are structural zeros or lie outside of the plane.`
          : "every direction in this plane is a structural zero."));
      const lines = [0, 1].map((index) => onSurface(run, a, b, pairs?.[index], values.lift));
      const colour = (pair) => values.colours[Math.sign(pair?.[0] ?? 0) + 1];
      if (drawn !== run) {
        drawn = run;
        await Plotly.restyle(plot, { z: [run.loss] }, [0]);
        const [x, y, z] = run.points;
        const above = z.map((height) => height + values.lift);
        await Plotly.restyle(plot, { x: [x], y: [y], z: [above], text: [run.labels.map((label) => `${label})`)] }, [1]);
      }
      const height = run.loss[row][column] + values.lift / 2;
      return Plotly.restyle(plot, {
        x: [[a], ...lines.map((line) => line.x)],
        y: [[b], ...lines.map((line) => line.y)],
        z: [[height], ...lines.map((line) => line.z)],
        "line.color": [null, ...lines.map((_, index) => colour(pairs?.[index]))],
      }, [2, 3, 4]);
    };
    view.ready = (moved) => plot.on("plotly_hover", ({ points: [point] }) => {
      if (point.curveNumber !== 0) return;
      const near = (value, axis) => axis.reduce((best, x, i) => Math.abs(x - value) < Math.abs(axis[best] - value) ? i : best, 0);
      const [column, row] = [near(point.x, values.runs[0].axis), near(point.y, values.runs[0].axis)];
      // Plotly says it again after every redraw: without this, a pointer at rest would redraw for ever
      if (column === Number(sliderA.value) && row === Number(sliderB.value)) return;
      [sliderA.value, sliderB.value] = [column, row];
      moved();
    });
    return update;
  },
};

// A line through (a, b) along an eigenvector, just above the surface (bilinear between the points of the grid).
function onSurface({ axis, loss }, a, b, pair, lift) {
  const line = { x: [], y: [], z: [] };
  if (!pair) return line;
  const last = axis.length - 1;
  const [low, step] = [axis[0], (axis[last] - axis[0]) / last];
  const half = 0.12 * (axis[last] - axis[0]);
  for (let t = -half; t <= half * 1.001; t += half / 12) {
    const [x, y] = [a + t * pair[1], b + t * pair[2]];
    const [u, v] = [(x - low) / step, (y - low) / step];
    if (u < 0 || v < 0 || u > last || v > last) continue;
    const [i, j] = [Math.min(Math.floor(u), last - 1), Math.min(Math.floor(v), last - 1)];
    const [p, q] = [u - i, v - j];
    line.x.push(x);
    line.y.push(y);
    line.z.push(lift / 2 + (1 - q) * ((1 - p) * loss[j][i] + p * loss[j][i + 1])
      + q * ((1 - p) * loss[j + 1][i] + p * loss[j + 1][i + 1]));
  }
  return line;
}

// --- drawing ---

// Text, lines and background of a plot in the page's colours.
function themed(layout) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { color: colour("--ink"), gridcolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true };
  const result = { ...layout, font: { color: colour("--ink") }, paper_bgcolor: colour("--paper"), plot_bgcolor: colour("--paper") };
  for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
    result[key] = { ...layout[key], ...axis };
  }
  if (layout.scene) {
    const far = innerWidth < 700 ? 1.7 : 1; // a narrow box needs distance
    const { automargin, ...inSpace } = axis;
    const { eye, center } = layout.scene.camera;
    result.scene = { ...layout.scene, camera: { center, eye: { x: far * eye.x, y: far * eye.y, z: far * eye.z } } };
    for (const key of ["xaxis", "yaxis", "zaxis"]) result.scene[key] = { ...layout.scene[key], ...inSpace };
  }
  return result;
}

function hasWebGL() {
  return document.createElement("canvas").getContext("webgl2") !== null
    || document.createElement("canvas").getContext("webgl") !== null;
}

// Without WebGL a surface is a map: the same numbers, seen from above.
function flat({ data, layout }) {
  const { scene, ...rest } = layout;
  const strip = ({ z, contours, opacity, ...trace }) => trace;
  return {
    data: data.map((trace, index) => index === 0
      ? { ...strip(trace), type: "heatmap", zmin: trace.cmin, zmax: trace.cmax, cmin: undefined, cmax: undefined }
      : { ...strip(trace), type: "scatter", textposition: "top center" }),
    layout: {
      ...rest, margin: { l: 60, r: 10, t: 10, b: 50 },
      xaxis: { title: scene.xaxis.title }, yaxis: { title: scene.yaxis.title },
    },
  };
}

// A slow plot is not drawn for every step of a fast slider: what comes in meanwhile counts once, as it stands at the end.
function newestOnly(update) {
  let [busy, again] = [false, false];
  return async () => {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      await update();
    }
    busy = false;
  };
}

async function draw(view) {
  const { figure, values } = JSON.parse(view.querySelector("script").textContent);
  const { data, layout } = figure.layout.scene && !hasWebGL() ? flat(figure) : figure;
  const [plot, form, reading] = [".plot", ".controls", ".reading"].map((name) => view.querySelector(name));
  await Plotly.newPlot(plot, data, themed(layout), { responsive: true, displaylogo: false });
  const say = (text) => { reading.textContent = text; };
  const update = newestOnly(KINDS[view.dataset.kind]({ view, form, plot, values, say }));
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Plotly.relayout(plot, themed(layout)));
  await update();
  view.ready?.(update);
  view.dataset.drawn = "yes";
}

// A view is drawn when it comes near the screen, so that the page is there at once.
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
}, { rootMargin: "300px" });

const form = document.querySelector(".filter");
if (form) filterVerdicts(form);
for (const view of document.querySelectorAll(".view")) {
  view.hidden = false;
  seen.observe(view);
}
