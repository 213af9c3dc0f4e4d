// Without this the page is whole: markers have titles, and all series are shown.
(() => {
  "use strict";
  const REACH = 28; // pixels around a marker
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;

  for (const svg of document.querySelectorAll("figure svg")) {
    svg.classList.add("live");
    svg.setAttribute("role", "group");
    const hits = [...svg.querySelectorAll(".hits circle")].map((circle) => {
      const title = circle.querySelector("title");
      const text = title.textContent;
      title.remove(); // or the browser would show it a second time
      return { circle, text, x: +circle.getAttribute("cx"), y: +circle.getAttribute("cy"), group: circle.parentNode };
    });
    let near = null;

    const point = (event) => {
      const toScreen = svg.getScreenCTM();
      let best = null;
      let least = REACH;
      for (const hit of hits) {
        if (hit.group.classList.contains("off")) continue;
        const at = new DOMPoint(hit.x, hit.y).matrixTransform(toScreen);
        const distance = Math.hypot(at.x - event.clientX, at.y - event.clientY);
        if (distance < least) [best, least] = [{ ...hit, at }, distance];
      }
      near?.circle.classList.remove("near");
      near = best;
      tip.hidden = !near;
      if (!near) return;
      near.circle.classList.add("near");
      tip.textContent = near.text;
      const { width, height } = tip.getBoundingClientRect();
      const left = Math.min(near.at.x + 14, document.documentElement.clientWidth - width - 8);
      const above = near.at.y - height - 12;
      tip.style.left = `${Math.max(8, left) + scrollX}px`;
      tip.style.top = `${(above < 4 ? near.at.y + 16 : above) + scrollY}px`;
    };
    const leave = () => {
      near?.circle.classList.remove("near");
      near = null;
      tip.hidden = true;
    };
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("pointerleave", leave);

    for (const key of svg.querySelectorAll(".key")) {
      key.setAttribute("role", "button");
      key.setAttribute("tabindex", "0");
      key.setAttribute("aria-pressed", "true");
      const toggle = () => {
        const hidden = key.classList.toggle("hidden");
        key.setAttribute("aria-pressed", String(!hidden));
        const own = `.series[data-series="${key.dataset.series}"], .hits[data-series="${key.dataset.series}"]`;
        for (const group of svg.querySelectorAll(own)) group.classList.toggle("off", hidden);
        leave();
      };
      key.addEventListener("click", toggle);
      key.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        toggle();
      });
    }
  }
})();
