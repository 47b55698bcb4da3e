/* Charts are drawings that need no script. Vega is fetched, from this site, when a reader asks to explore one. */
(() => {
  "use strict";
  const root = document.currentScript.src.replace(/assets\/kb\.js.*$/, "");
  const NARROW = 660; // as in kb.css
  const specs = new Map();
  const loads = new Map();

  // A chart's own script calls this; fetch() and modules do not work from a folder.
  window.kbCharts = { put: (id, drawings) => specs.set(id, drawings) };

  function script(url) {
    if (!loads.has(url)) {
      loads.set(url, new Promise((loaded, failed) => {
        const element = document.createElement("script");
        element.src = url;
        element.onload = loaded;
        element.onerror = () => {
          loads.delete(url); // the next press tries again
          element.remove();
          failed(new Error(`${url} could not be loaded`));
        };
        document.head.append(element);
      }));
    }
    return loads.get(url);
  }

  async function explore(figure, id) {
    await Promise.all([script(`${root}charts/${id}.js`), script(`${root}assets/vega.js`)]);
    const plot = figure.querySelector(".kb-plot");
    const drawing = structuredClone(specs.get(id)[figure.clientWidth <= NARROW ? "narrow" : "wide"]);
    const place = document.createElement("div");
    plot.append(place);
    const result = await window.vegaEmbed(place, drawing, { actions: false, renderer: "svg" });
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", figure.querySelector("figcaption strong").textContent);
    plot.classList.add("kb-exploring");
    return () => {
      result.finalize();
      place.remove();
      plot.classList.remove("kb-exploring");
    };
  }

  function offer(button) {
    const figure = button.closest("figure");
    const hint = document.createElement("span");
    hint.className = "kb-hint";
    hint.setAttribute("role", "status");
    button.parentElement.append(hint);
    let close = null;
    button.hidden = false;
    button.addEventListener("click", async () => {
      if (close) {
        close();
        close = null;
        button.textContent = "Explore";
        hint.textContent = "";
        return;
      }
      button.disabled = true;
      hint.textContent = "Loading …";
      try {
        close = await explore(figure, button.dataset.chart);
        button.textContent = "Back to the drawing";
        hint.textContent = "Point at a mark for its figures.";
      } catch (error) {
        hint.textContent = `The chart stays a drawing: ${error.message}.`;
      }
      button.disabled = false;
      button.focus();
    });
  }

  function start() {
    document.querySelectorAll(".kb-explore[hidden]").forEach(offer);
    // The theme gives its search dialog no name; a screen reader needs one.
    document.querySelector("[data-md-component=search][role=dialog]")?.setAttribute("aria-label", "Search");
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
