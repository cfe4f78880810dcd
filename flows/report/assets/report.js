// Sorts, filters, highlights, copies, draws. Every page is whole without it: it reads the page's own tables and fetches nothing.
(function () {
  "use strict";
  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const words = (node) => node.textContent.trim().replace(/\s+/g, " ");
  const number = (text) => parseFloat(text.replace(/,/g, "").replace("−", "-"));
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().trim();
  const ranked = one("#ranked"), shown = one("#shown"), filter = one("#filter"), choose = one("#choose"), card = one("#chosen");

  all(".needs-js").forEach((node) => { node.hidden = false; });

  // ------------------------------------------------------------ sort
  function sortable(table) {
    const heads = all("thead th", table), body = table.tBodies[0], first = Array.from(body.rows);
    const place = new Map(first.map((row, index) => [row, index]));
    heads.forEach((head, column) => {
      if (head.matches(".w, .still")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const numeric = head.classList.contains("n");
        const start = numeric && column > 0 ? "descending" : "ascending";
        const now = head.getAttribute("aria-sort");
        const order = now ? (now === "ascending" ? "descending" : "ascending") : start;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const value = (row) => numeric ? number(row.cells[column].textContent) : words(row.cells[column]);
        const keys = new Map(first.map((row) => [row, value(row)]));
        const compare = numeric ? (a, b) => keys.get(a) - keys.get(b) : (a, b) => keys.get(a).localeCompare(keys.get(b), "en-GB");
        // rows are in the order of the unrounded rate: what looks equal stays in that order
        const tie = words(head) === "Per 10,000" ? -sign : 1;
        body.append(...first.slice().sort((a, b) => sign * compare(a, b) || tie * (place.get(a) - place.get(b))));
        say("Sorted by " + words(button) + ", " + order + ".");
      });
    });
  }
  all("table.sortable").forEach(sortable);

  function say(text) {
    if (shown) shown.textContent = text;
  }

  // ------------------------------------------------------------ filter
  function filtering() {
    const parts = fold(filter.value).split(/\s+/).filter(Boolean);
    const items = all("#ranked tbody tr, .unranked tbody tr, .filtered tbody tr, .listed li");
    let left = 0;
    items.forEach((item) => {
      const cells = item.cells;
      const text = fold(!cells ? item.textContent : ranked ? words(one("th", item)) + " " + force(item) : words(cells[0]) + " " + words(cells[1]));
      item.hidden = !item.classList.contains("chosen") && !parts.every((part) => text.includes(part));
      left += !item.hidden;
    });
    all(".listed").forEach((list) => { list.hidden = all("li", list).every((item) => item.hidden); });
    say(parts.length ? left + " of " + items.length + " shown." : "All " + items.length + " shown.");
    let note = one("#nothing");
    if (!note) {
      note = document.createElement("p");
      note.id = "nothing";
      note.className = "none";
      note.textContent = "No matches. Press Escape to clear the filter.";
      (filter.closest(".tools") || filter.parentNode).after(note);
    }
    note.hidden = left > 0;
  }
  function force(row) {
    const name = one("th", row).nextElementSibling;
    return name && !name.classList.contains("n") ? words(name) : "";
  }
  if (filter) {
    filter.addEventListener("input", filtering);
    filter.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { filter.value = ""; filtering(); }
    });
    if (filter.value) filtering();
  }

  // ------------------------------------------------------------ the chosen area, kept in the address
  const wanted = () => { try { return decodeURIComponent(location.hash.slice(1)); } catch (error) { return ""; } };
  function chosen() {
    const id = wanted(), row = id.startsWith("area=") ? document.getElementById(id) : null;
    all("tr.chosen").forEach((old) => { old.classList.remove("chosen"); old.removeAttribute("aria-current"); });
    all("a[data-keep], .tabs a").forEach((link) => {
      if (link.dataset.keep !== undefined) link.href = link.getAttribute("href").split("#")[0] + (row ? "#" + id : "");
    });
    if (choose && choose.value !== (row ? id : "")) choose.value = row ? id : "";
    if (!card) return;
    card.hidden = !row;
    card.textContent = "";
    if (row) row.classList.add("chosen");
    if (filter.value) filtering();  // the chosen row stays in sight
    if (!row) return;
    row.setAttribute("aria-current", "true");
    const link = one("th a", row).cloneNode(true), name = document.createElement("b");
    name.textContent = words(one("th a", row));
    link.textContent = "Its page";
    card.append(name, ": " + summary(row) + " ", link);
  }
  function summary(row) {
    const table = row.closest("table"), heads = all("thead th", table).map(words);
    const cell = (head) => words(row.cells[heads.indexOf(head)]);
    if (table !== ranked) return "not ranked, " + cell("Status") + ": " + cell("Why") + ".";
    return "rank " + cell("Rank") + " of " + ranked.tBodies[0].rows.length + ", " + cell("Per 10,000") + " per 10,000 (" +
      cell("95% interval") + "), from " + cell("Offences") + " offences and " + cell("Residents") + " residents.";
  }
  if (choose) {
    const rows = all("tr[id^='area=']").map((row) => [words(one("th a", row)), row.id]);
    rows.sort((a, b) => a[0].localeCompare(b[0], "en-GB")).forEach(([name, id]) => choose.append(new Option(name, id)));
    // the address is replaced, not followed: following it would take the focus from the list while a name is typed
    choose.addEventListener("change", () => {
      history.replaceState(null, "", choose.value ? "#" + choose.value : location.pathname + location.search);
      chosen();
      const row = one("tr.chosen");
      if (row) row.scrollIntoView({ block: "center" });
    });
    all("tr[id^='area=']").forEach((row) => row.addEventListener("click", (event) => {
      if (event.target.closest("a")) return;
      history.replaceState(null, "", "#" + row.id);
      chosen();
    }));
  }
  window.addEventListener("hashchange", chosen);
  chosen();

  // ------------------------------------------------------------ a link to send
  const copy = one("#copy");
  if (copy) {
    copy.addEventListener("click", async () => {
      let done = false;
      try {
        await navigator.clipboard.writeText(location.href);
        done = true;
      } catch (error) {  // no clipboard, or no leave to use it: the older way
        const field = document.createElement("textarea");
        field.value = location.href;
        document.body.append(field);
        field.select();
        done = document.execCommand("copy");
        field.remove();
        copy.focus();
      }
      copy.textContent = done ? "Link copied" : "Copy it from the address bar";
      say(copy.textContent);
      setTimeout(() => { copy.textContent = "Copy link"; }, 3000);
    });
  }

  // ------------------------------------------------------------ find an area from the front page
  const find = one("#find");
  if (find) {
    const field = one("#find-area"), said = one("#find-said"), options = all("#find-list option");
    const go = (event) => {
      const text = fold(field.value);
      const exact = options.filter((option) => fold(option.value) === text);
      const fits = exact.length ? exact : options.filter((option) => text && fold(option.value).includes(text));
      if (fits.length === 1) location.href = fits[0].dataset.page;
      else if (event) said.textContent = fits.length ? fits.length + " areas match: choose one from the list, or type more of the name." : "No area matches.";
    };
    find.addEventListener("submit", (event) => { event.preventDefault(); go(event); });
    field.addEventListener("input", () => {
      said.textContent = "";
      if (options.some((option) => option.value === field.value)) go();
    });
  }

  // ------------------------------------------------------------ charts, from the tables below them
  function chart(box) {
    const table = document.getElementById(box.dataset.table), heads = all("thead th", table).map(words);
    const column = (name) => heads.indexOf(name);
    const text = (row, name) => column(name) < 0 ? "" : words(row.cells[column(name)]);
    const points = Array.from(table.tBodies[0].rows, (row) => {
      const half = text(row, "Half-year"), [low, high] = text(row, "95% interval").split(" to ").map(number);
      const rate = text(row, "Per 10,000");
      return {
        half, low, high, x: parseInt(half, 10) + (half.endsWith("2") ? 0.5 : 0), rate: number(rate), nation: number(text(row, "England and Wales")),
        broken: text(row, "Break"),
        title: half + "\n" + (rate ? rate + " per 10,000 (" + text(row, "95% interval") + ")" : "no rate") +
          (text(row, "Rank") ? "\nrank " + text(row, "Rank") : "") +
          (text(row, "England and Wales") ? "\nEngland and Wales " + text(row, "England and Wales") : ""),
      };
    });
    const known = points.filter((point) => !Number.isNaN(point.rate));
    if (!known.length) return false;
    const top = Math.max(...known.map((p) => p.rate), ...points.map((p) => p.nation || 0)) || 1;
    const wide = box.parentNode.clientWidth;
    const first = points[0].x, last = points[points.length - 1].x, every = Math.ceil((last - first) / (wide / 80)) || 1;
    const years = points.filter((p) => p.x % 1 === 0 && (p.x - Math.ceil(first)) % every === 0).map((p) => p.x);
    // a break lies between two half-years: where a marked stretch begins, and where one of several half-years ends
    const dividing = (p) => p.broken.split(", ").filter((kind) => /gap|boundary/.test(kind)).join();
    const ticks = points.filter((p) => /recording|code|system|detected/.test(p.broken));
    const uprights = points.filter((p, i) => i && dividing(p) !== dividing(points[i - 1]) &&
      (dividing(p) || i === 1 || dividing(points[i - 1]) === dividing(points[i - 2])));
    const height = Math.max(top, Math.min(Math.max(...known.map((p) => p.high)), top * 1.6)) * 1.06;
    const svg = Plot.plot({
      width: Math.max(wide, 240), height: 210, marginLeft: 42, marginRight: 10, marginTop: 12, marginBottom: 26,
      style: { fontFamily: "inherit", fontSize: "12px", color: "var(--muted)", background: "none" },
      ariaLabel: box.dataset.name + ": offences per 10,000 residents in " + known.length + " half-years, from " + known[0].half + " (" +
        known[0].rate + ") to " + known[known.length - 1].half + " (" + known[known.length - 1].rate + "). The figures are in the table below.",
      x: { type: "linear", domain: [first - 0.3, last + 0.3], ticks: years, tickFormat: (x) => x + "/" + String((x + 1) % 100).padStart(2, "0"), label: null, tickSize: 4 },
      y: { domain: [0, height], ticks: 4, tickSize: 0, label: null, clamp: true },
      marks: [
        Plot.gridY({ ticks: 4, stroke: "var(--line)", strokeOpacity: 1 }),
        Plot.ruleX(uprights, { x: (p) => p.x - 0.25, stroke: "var(--muted)", strokeWidth: 1.25, strokeDasharray: "1.5,3" }),
        Plot.ruleX(ticks, { x: (p) => p.x - 0.25, y1: height * 0.95, y2: height, stroke: "var(--muted)", strokeWidth: 1.5 }),
        Plot.ruleY([0], { stroke: "var(--rule)" }),
        Plot.line(points, { x: "x", y: "nation", stroke: "var(--nation)", strokeWidth: 1.75, strokeDasharray: "5,4" }),
        Plot.line(points, { x: "x", y: "rate", stroke: "var(--accent)", strokeWidth: 1.25, strokeOpacity: 0.55 }),
        Plot.ruleX(known, { x: "x", y1: "low", y2: "high", stroke: "var(--accent)", strokeWidth: 2, strokeOpacity: 0.6 }),
        Plot.dot(known, { className: "dots", x: "x", y: "rate", r: 3.5, stroke: "var(--accent)", strokeWidth: 1.5, fill: (p) => p.x % 1 ? "var(--paper)" : "var(--accent)" }),
        Plot.tip(points.filter((p) => !Number.isNaN(p.rate)), Plot.pointerX({ x: "x", y: "rate", title: "title", fill: "var(--paper)", stroke: "var(--line)", fontSize: 12 })),
      ],
    });
    svg.setAttribute("role", "img");
    all("g[aria-label]", svg).forEach((group) => group.removeAttribute("aria-label"));
    box.replaceChildren(svg);
    return true;
  }
  function charts() {
    all(".chart[data-table]").forEach((box) => {
      if (chart(box)) { if (!box.dataset.drawn) one("details[open]", box.parentNode).open = false; box.dataset.drawn = "yes"; }
    });
  }
  if (window.Plot) {
    charts();
    let width = window.innerWidth, waiting;
    window.addEventListener("resize", () => {
      if (window.innerWidth === width) return;
      width = window.innerWidth;
      clearTimeout(waiting);
      waiting = setTimeout(charts, 150);
    });
  }

  // a region that does not scroll needs no stop for the Tab key
  function stops() {
    all(".scroll").forEach((region) => {
      if (region.scrollWidth > region.clientWidth + 1) region.setAttribute("tabindex", "0");
      else region.removeAttribute("tabindex");
    });
  }
  stops();
  window.addEventListener("resize", stops);
  document.addEventListener("toggle", stops, true);
  document.addEventListener("change", stops);
})();
