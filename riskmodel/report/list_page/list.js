"use strict";
// The list page: tabs, search, filters, sorting, cards; and the gate of a sealed page.
// Data are only ever put into the page as text, never as markup. Nothing is fetched and nothing is stored.
(() => {
  const SHOWN_OF_REST = 20; // pupils outside the list who are shown for a search
  const FIRST_LETTER = 63; // of the columns of pupils outside the list, see rest_of_cohort in rows.py
  const CHANGES = ["new", "rising", "steady", "falling", "first list"];
  const find = (query, root = document) => root.querySelector(query);
  const all = (query, root = document) => [...root.querySelectorAll(query)];

  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const about = (risk) => (/^\d/.test(risk) ? `about ${risk}` : risk); // "under 1 in 1,000" as it is
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  const name = (text) => make("bdi", {}, text); // a name may run from right to left

  // ---------------------------------------------------------------- the gate of a sealed page
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  async function unseal(password, parts) {
    const raw = new TextEncoder().encode(password.normalize("NFKC"));
    const secret = await crypto.subtle.importKey("raw", raw, "PBKDF2", false, ["deriveKey"]);
    const rounds = { name: "PBKDF2", hash: "SHA-256", salt: bytes(parts.salt), iterations: parts.iterations };
    const key = await crypto.subtle.deriveKey(rounds, secret, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
    const cipher = { name: "AES-GCM", iv: bytes(parts.nonce) };
    const packed = await crypto.subtle.decrypt(cipher, key, bytes(parts.sealed));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  function guard() {
    const parts = JSON.parse(find("#sealed").textContent);
    const says = find("#gate-says");
    const missing = [
      [!globalThis.crypto || !crypto.subtle, "WebCrypto, which opens the page, for files"],
      [!globalThis.DecompressionStream, "DecompressionStream, which unpacks it"],
    ].filter(([lacks]) => lacks);
    if (missing.length) {
      says.textContent = `This browser does not offer ${missing[0][1]}. Please open the page in a current ` +
        "Edge, Chrome, Firefox or Safari.";
      find("#gate button").disabled = true;
      return;
    }
    find("#gate").addEventListener("submit", async (event) => {
      event.preventDefault();
      says.textContent = "Opening …";
      try {
        const text = await unseal(find("#password").value, parts);
        const opened = new DOMParser().parseFromString(text, "text/html"); // runs nothing
        find("#page").replaceChildren(...opened.body.childNodes);
        start();
        find("h1").setAttribute("tabindex", "-1");
        find("h1").focus();
      } catch {
        says.textContent = "That is not the password of this page. Please try again.";
        find("#password").select();
      }
    });
    find("#password").focus();
  }

  // ---------------------------------------------------------------- charts
  const WIDTH = 640, LEFT = 48, CHART = 96;
  const RECENT = 6; // events that are shown at once

  function attendance(card, data, word) {
    const weeks = data.weeks.map(word);
    const step = (WIDTH - LEFT) / weeks.length;
    const known = card.weeks.filter((share) => share !== null);
    const last = known.slice(-4).map((share) => `${share}%`).join(", ");
    const label = known.length
      ? `Attendance by week, ${weeks[0]} to the week of ${weeks.at(-1)}. Lowest ${Math.min(...known)}%, highest ` +
        `${Math.max(...known)}%. The last weeks known: ${last}.`
      : "No attendance marks are known in the last year.";
    const chart = draw("svg", { viewBox: `0 0 ${WIDTH} ${CHART + 30}`, role: "img", "aria-label": label, class: "chart" });
    const height = (share) => 6 + CHART * (1 - share / 100);
    data.holidays.forEach((holiday, week) => {
      if (holiday) chart.append(draw("rect", { x: LEFT + week * step, y: 6, width: step + 0.2, height: CHART, class: "holiday" }));
    });
    for (const share of [0, 50, 100]) {
      chart.append(draw("path", { d: `M${LEFT} ${height(share)}H${WIDTH}`, class: "grid" }));
      chart.append(draw("text", { x: LEFT - 6, y: height(share) + 4, class: "end" }, `${share}%`));
    }
    card.weeks.forEach((share, week) => {
      if (share === null) return;
      const top = Math.min(height(share), 4.5 + CHART); // a week of no attendance still shows
      chart.append(draw("rect", { x: LEFT + week * step + 1.5, y: top, width: step - 3, height: 6 + CHART - top, class: "bar" }));
    });
    chart.append(draw("path", { d: `M${LEFT} ${height(90)}H${WIDTH}`, class: "limit" }));
    let month = "";
    weeks.forEach((week, number) => {
      const here = week.split(" ")[1];
      if (here !== month && number < weeks.length - 1) {
        if (month) chart.append(draw("text", { x: LEFT + number * step, y: CHART + 22 }, here));
        month = here;
      }
    });
    return chart;
  }

  function timeline(card, data, word) {
    const at = (permille) => LEFT + (permille / 1000) * (WIDTH - LEFT - 2);
    const elsewhere = card.spells.some((spell) => spell[2]);
    const rows = elsewhere ? { school: 8, other: 36, incident: 70 } : { school: 8, other: 8, incident: 44 };
    const bottom = rows.incident + 18;
    const incidents = card.events.filter((event) => event[1]).length;
    const label = `Timeline of three years: ${card.spells.length} spells at schools or elsewhere, ${incidents} ` +
      "suspensions or exclusions. The dates are in the list below.";
    const chart = draw("svg", { viewBox: `0 0 ${WIDTH} ${bottom + 20}`, role: "img", "aria-label": label, class: "chart" });
    for (const [permille, year] of data.years) {
      chart.append(draw("path", { d: `M${at(permille)} 4V${bottom}`, class: "grid" }));
      chart.append(draw("text", { x: at(permille), y: bottom + 16 }, word(year)));
    }
    for (const [start, end, away, text] of card.spells) {
      const wide = Math.max(at(end) - at(start), 3);
      const y = away ? rows.other : rows.school;
      chart.append(draw("rect", { x: at(start), y, width: wide, height: 22, class: away ? "away" : "spell" }));
      const letters = Math.floor((wide - 10) / 7);
      const said = word(text);
      if (letters > 3) {
        const cut = said.length > letters ? `${said.slice(0, letters - 1)}…` : said;
        chart.append(draw("text", { x: at(start) + 6, y: y + 15 }, cut));
      }
    }
    chart.append(draw("path", { d: `M${LEFT} ${rows.incident + 12}H${WIDTH}`, class: "grid" }));
    for (const [permille, incident] of card.events) {
      const x = at(permille);
      chart.append(incident
        ? draw("path", { d: `M${x} ${rows.incident - 4}V${rows.incident + 12}`, class: "incident" })
        : draw("path", { d: `M${x} ${rows.school - 4}l4 -4h-8z`, class: "move" }));
    }
    return chart;
  }

  function effect(size) {
    const bar = draw("svg", { viewBox: "0 0 100 12", "aria-hidden": "true", class: "effect" });
    const half = Math.max(1, Math.abs(size) / 2);
    bar.append(draw("path", { d: "M50 0V12" }));
    bar.append(size < 0
      ? draw("rect", { x: 50 - half + 0.5, y: 2.5, width: half - 0.5, height: 7, class: "lowers" })
      : draw("rect", { x: 50, y: 2, width: half, height: 8, class: "raises" }));
    return bar;
  }

  // ---------------------------------------------------------------- a card
  function story(card, data, word) {
    const parts = data.sections.map((section, number) => [word(section), card.story.filter(([section]) => section === number)]);
    const lists = parts.filter(([, rows]) => rows.length).map(([title, rows]) => [
      make("h4", {}, title),
      make("ul", { class: "sentences" }, ...rows.map(([, sentence, size, bar, weak]) => make("li", {},
        make("span", {}, word(sentence), weak ? make("small", {}, " Weak: part of the model, or a small change of the facts, would drop it.") : null),
        effect(bar), make("span", { class: "size" }, word(size))))),
    ]);
    return make("section", { class: "story" }, make("h3", {}, "The story"), ...lists.flat(),
      make("p", { class: "less" }, "Filled bars raise the risk, open bars lower it. A size is a part of this " +
        "pupil’s figure, not a cause."));
  }

  function dated(events, word) {
    if (!events.length) return [make("p", { class: "less" }, "No move, suspension or exclusion is on record in three years.")];
    const list = (some) => make("ol", { class: "events" }, ...some.map(([, , day, text]) =>
      make("li", {}, make("span", {}, word(day)), name(word(text)))));
    const early = events.slice(0, -RECENT);
    const more = early.length ? [make("details", {}, make("summary", {}, `${early.length} earlier`), list(early))] : [];
    return [...more, list(events.slice(-RECENT))];
  }

  function history(card, data, word) {
    const parts = [];
    if (data.weeks) {
      parts.push(make("h3", {}, "Attendance by week"), attendance(card, data, word),
        make("p", { class: "less" }, "Grey: school holidays. Dotted: 90%. No bar: no marks known."));
    }
    if (card.spells) {
      parts.push(make("h3", {}, "Schools, moves and suspensions"), timeline(card, data, word),
        ...dated(card.events, word));
    }
    return make("section", { class: "history" }, ...parts);
  }

  function showCard(card, data, word, links) {
    const facts = [word(card.school), word(card.year), card.need === undefined ? null : word(card.need)];
    const asked = card.questions.map(([question, because]) => make("li", {}, word(question), make("small", {}, word(because))));
    const gaps = card.gaps.map((gap) => make("li", {}, word(gap)));
    find("#card").replaceChildren(
      make("nav", { "aria-label": "Cards" }, ...links),
      make("h2", { id: "card-head" }, "Pupil ", name(word(card.pupil))),
      make("p", { class: "facts" }, ...facts.filter(Boolean).map((fact) => make("span", {}, name(fact)))),
      make("p", { class: "risk-said" }, make("strong", {}, capital(about(word(card.risk)))),
        ` pupils with a record like this one will be ${word(data.happened)}, by the model's estimate (range ${word(card.range)}). ` +
        `Rank ${card.rank}: ${word(card.band)}, ${word(card.change)}.`),
      make("div", { class: "halves" }, story(card, data, word), history(card, data, word)),
      make("div", { class: "halves" },
        make("section", { class: "ask" }, make("h3", {}, "Questions to ask"),
          asked.length ? make("ul", {}, ...asked) : make("p", {}, "None came up from the record. What would the child say?")),
        make("section", { class: "gaps" }, make("h3", {}, "What we do not know"),
          gaps.length ? make("ul", {}, ...gaps) : make("p", {}, "No gap was found in the record. It still holds only what was written down."))),
    );
  }

  // ---------------------------------------------------------------- the page
  function startTabs() {
    const parts = all(".part");
    const tabs = parts.map((part) => make("button", {
      type: "button", role: "tab", id: `${part.id}-tab`, "aria-controls": part.id }, part.dataset.tab));
    const select = (chosen) => parts.forEach((part, number) => {
      part.hidden = number !== chosen;
      tabs[number].setAttribute("aria-selected", String(number === chosen));
      tabs[number].tabIndex = number === chosen ? 0 : -1;
    });
    parts.forEach((part, number) => {
      fill(part, { role: "tabpanel", "aria-labelledby": `${part.id}-tab` }, []);
      tabs[number].addEventListener("click", () => select(number));
      tabs[number].addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = (number + step + tabs.length) % tabs.length;
        select(next);
        tabs[next].focus();
      });
    });
    find("#tabs").append(...tabs);
    find("#tabs").hidden = false;
    select(0);
  }

  function startList(data) {
    const body = find("#rows tbody");
    const rows = all("tr", body);
    const selects = all("#tools select");
    const rest = data.rest;
    let texts = null; // what is searched, in lower case; made at the first search

    const matches = (row, wanted) => selects.every((select) => !select.value || row[select.dataset.name] === select.value)
      && (!wanted || row.text.includes(wanted));

    function others(wanted) {
      if (!rest || wanted.length < 2) return [[], 0];
      const of = (column, row) => (rest[column] ? rest[column][0][rest[column][1].charCodeAt(row) - FIRST_LETTER] : "");
      texts ??= rest.pupil.map((pupil, row) => `${pupil} ${of("school", row)}`.toLowerCase());
      const found = [];
      let count = 0;
      texts.forEach((text, row) => {
        if (!text.includes(wanted)) return;
        const keys = { band: "not listed", text };
        for (const column of ["school", "year", "phase", "need", "change"]) keys[column] = of(column, row);
        if (!matches(keys, wanted)) return;
        count += 1;
        if (found.length < SHOWN_OF_REST) found.push([rest.first + row, rest.pupil[row], keys, of("risk", row), of("range", row)]);
      });
      return [found, count];
    }

    function showOthers([found, count]) {
      const box = find("#others");
      box.hidden = count === 0;
      const more = count > found.length ? ` The first ${found.length} are shown; type more to narrow them down.` : "";
      const heads = ["Rank", "Pupil", "School", "Year", "Risk", "Change"];
      box.replaceChildren(make("h3", {}, "Not on this list"),
        make("p", { class: "less" }, `${count.toLocaleString("en-GB")} other pupils of the cohort match.${more}`),
        make("table", {}, make("caption", {}, "Pupils who are not on this list and not near its line"),
          make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
          make("tbody", {}, ...found.map(([rank, pupil, keys, risk, range]) => make("tr", {},
            make("td", { "data-label": heads[0] }, String(rank)), make("th", { scope: "row" }, name(pupil)),
            make("td", { "data-label": heads[2] }, name(keys.school)), make("td", { "data-label": heads[3] }, keys.year),
            make("td", { "data-label": heads[4], class: "risk" }, about(risk), make("small", {}, `range ${range}`)),
            make("td", { "data-label": heads[5] }, keys.change))))));
    }

    function update() {
      const wanted = find("#search").value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.dataset.text ??= `${find("th", row).textContent} ${row.dataset.school}`.toLowerCase();
        row.hidden = !matches(row.dataset, wanted);
        shown += row.hidden ? 0 : 1;
      }
      const found = others(wanted);
      showOthers(found);
      find("#count").textContent = `${shown} of ${rows.length} pupils on the list or near the line` +
        (found[1] ? `, and ${found[1].toLocaleString("en-GB")} not on it` : "") + ".";
    }

    function sort(head) {
      const key = head.dataset.key;
      const down = head.getAttribute("aria-sort") === "ascending";
      const { compare } = new Intl.Collator("en-GB", { numeric: true });
      const value = (row) => (key === "change" ? String(CHANGES.indexOf(row.dataset.change)) : row.dataset[key]);
      const byRank = (one, other) => one.dataset.rank - other.dataset.rank;
      rows.sort((one, other) => (down ? -1 : 1) * compare(value(one), value(other)) || byRank(one, other));
      body.append(...rows);
      all("#rows th[data-key]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    }

    for (const head of all("#rows th[data-key]")) {
      const button = make("button", { type: "button" }, head.textContent);
      button.addEventListener("click", () => sort(head));
      head.replaceChildren(button);
    }
    find("#rows th[data-key=rank]").setAttribute("aria-sort", "ascending");
    for (const row of rows) {
      const cell = find("th", row);
      cell.replaceChildren(make("a", { href: `#pupil-${row.dataset.rank}` }, ...cell.childNodes));
    }
    find("#tools").hidden = false;
    find("#tools").addEventListener("input", update);
    find("#tools").addEventListener("reset", () => setTimeout(update));
    find("#tools").addEventListener("submit", (event) => event.preventDefault());
    return () => rows.filter((row) => !row.hidden).map((row) => Number(row.dataset.rank));
  }

  function startCards(data, word, order) {
    const byRank = new Map(data.cards.map((card) => [card.rank, card]));
    const title = document.title;
    let opened = null;
    let place = 0;
    const route = () => {
      const rank = Number((/^#pupil-(\d+)$/.exec(location.hash) || [])[1]);
      const card = byRank.get(rank);
      document.body.classList.toggle("reading", Boolean(card));
      find("#card").hidden = !card;
      if (card) {
        if (opened === null) place = scrollY;
        const ranks = order();
        const here = ranks.indexOf(rank);
        const link = (text, to) => (to === undefined ? make("span", { class: "less" }, text) : make("a", { href: `#pupil-${to}` }, text));
        showCard(card, data, word, [make("a", { href: "#list" }, "Back to the list"),
          link("Previous", here > 0 ? ranks[here - 1] : undefined), link("Next", ranks[here + 1])]);
        document.title = `Pupil ${word(card.pupil)}`;
        opened = rank;
        scrollTo(0, 0);
        find("#card").focus({ preventScroll: true });
      } else if (opened !== null) {
        document.title = title;
        const link = find(`a[href="#pupil-${opened}"]`, find("#rows"));
        opened = null;
        scrollTo(0, place);
        if (link) link.focus({ preventScroll: true });
      }
    };
    addEventListener("hashchange", route);
    addEventListener("beforeprint", () => all("#card details").forEach((more) => { more.open = true; }));
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && opened !== null) location.hash = "#list";
    });
    route();
  }

  function start() {
    const data = JSON.parse(find("#data").textContent);
    const word = (number) => data.words[number];
    document.documentElement.classList.add("live");
    startTabs();
    if (find("#rows")) startCards(data, word, startList(data));
  }

  if (find("#sealed")) guard();
  else start();
})();
