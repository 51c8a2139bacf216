// The page is whole without this. Charts get tooltips, and a live page its news.
"use strict";

const wide = matchMedia("(min-width: 48.01rem)");

async function addTooltips(tile) {
  const chart = tile.querySelector(".chart"), specification = tile.querySelector("script");
  if (!chart || !wide.matches) return;
  const drawn = chart.querySelector(".wide"), target = document.createElement("div");
  const options = { actions: false, renderer: "svg", logLevel: 1 }; // errors only
  await vegaEmbed(target, JSON.parse(specification.textContent), options);
  const svg = target.querySelector("svg");
  for (const name of ["class", "role", "aria-label"]) svg.setAttribute(name, drawn.getAttribute(name));
  drawn.replaceWith(svg);
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
        addTooltips(tile);
      }
    };
  };
  const end = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) end(); else if (!source) begin(); });
  addEventListener("pagehide", end);
  if (!document.hidden) begin();
}

for (const tile of document.querySelectorAll(".tile")) addTooltips(tile);
const live = document.getElementById("live");
if (live) follow(live);
