// The page is whole without this. Charts get tooltips and a brush, and a live page its news.
"use strict";

const wide = matchMedia("(min-width: 48.01rem)");
let loading = null;

function loadVega() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: "/static/vega.js", onload: resolve, onerror: reject });
    document.head.append(script);
  });
  return loading;
}

async function drawAgain(tile) {
  const chart = tile.querySelector(".chart"), specification = tile.querySelector("script");
  if (!chart || !wide.matches) return;
  await loadVega();
  const drawn = chart.querySelector(".wide"), target = document.createElement("div");
  const options = { actions: false, renderer: "svg", logLevel: 1 }; // errors only
  const { view, spec } = await vegaEmbed(target, JSON.parse(specification.textContent), options);
  const svg = target.querySelector("svg");
  for (const name of ["class", "role", "aria-label"]) svg.setAttribute(name, drawn.getAttribute(name));
  for (const part of svg.children) part.setAttribute("aria-hidden", "true"); // the picture has one description
  drawn.replaceWith(svg);
  if (spec.params) addBrush(chart, view, spec.data.values);
}

// The sum of the points that are dragged over.
function addBrush(chart, view, values) {
  const note = Object.assign(document.createElement("p"), { className: "quiet", role: "status" });
  const say = (_, { x } = {}) => {
    const chosen = x ? values.filter((value) => value.x >= x[0] && value.x <= x[1]) : [];
    const sum = chosen.reduce((total, value) => total + value.y, 0);
    note.textContent = chosen.length
      ? `${chosen[0].label} to ${chosen.at(-1).label}: ${sum.toLocaleString("en", { maximumFractionDigits: 2 })} in all.`
      : "Drag over the chart to add up a part of it.";
  };
  view.addSignalListener("brush", say);
  say();
  chart.after(note);
}

function follow(place) {
  let source = null;
  const begin = () => {
    source = new EventSource(place.dataset.events);
    source.onopen = () => { place.textContent = "Live."; };
    source.onerror = () => { place.textContent = "The connection is lost; it is tried again."; };
    source.onmessage = (event) => {
      for (const [number, html] of Object.entries(JSON.parse(event.data))) {
        const tile = document.getElementById(`tile-${number}`);
        const open = tile.querySelector("details")?.open;
        tile.innerHTML = html;
        if (open) tile.querySelector("details")?.setAttribute("open", "");
        drawAgain(tile);
      }
    };
  };
  const end = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) end(); else if (!source) begin(); });
  addEventListener("pagehide", end);
  if (!document.hidden) begin();
}

// Vega takes longer to begin than the page to be seen.
new PerformanceObserver((entries, observer) => {
  observer.disconnect();
  document.querySelectorAll(".tile").forEach(drawAgain);
}).observe({ type: "paint", buffered: true });
const live = document.getElementById("live");
if (live) follow(live);
