// What the user chooses, and what follows from it.
"use strict";
const get = id => document.getElementById(id);

function remember() {
    const words = [["show", state.kind], ["unit", state.unit], ["snapshot", state.snapshot], ["base", state.base], ["thread", state.thread],
        ["search", state.search], ["tab", state.tab], ["zoom", state.zoom]];
    const usual = { show: data.kind, unit: "bytes", snapshot: data.chosen, base: data.base, thread: -1, search: "", tab: "functions", zoom: 0 };
    const changed = words.filter(([key, value]) => String(value) !== String(usual[key])).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
    try { history.replaceState(null, "", changed.length > 0 ? `#${changed.join("&")}` : location.pathname + location.search); } catch { /* within another page */ }
}

function recall() {
    const words = new URLSearchParams(location.hash.slice(1));
    const number = (key, least, end) => { const value = parseInt(words.get(key), 10); return value >= least && value < end ? value : undefined; };
    const one = (key, list) => list.includes(words.get(key)) ? words.get(key) : undefined;
    state.kind = one("show", kinds()) ?? state.kind;
    state.unit = one("unit", UNITS.map(([key]) => key)) ?? state.unit;
    state.snapshot = number("snapshot", 0, data.snapshots.length) ?? state.snapshot;
    state.base = number("base", -1, data.snapshots.length) ?? state.base;
    state.thread = number("thread", -1, data.threads.length) ?? state.thread;
    state.tab = one("tab", Object.keys(TABLES)) ?? state.tab;
    state.zoom = number("zoom", 0, tree.size) ?? state.zoom;
    state.search = words.get("search") ?? state.search;
    get("search").value = state.search;
}

const kinds = () => KINDS.map(([key]) => key).filter(key => key !== "peak" || data.snapshots.some(snapshot => snapshot.peak));

/// Changes what is chosen, and shows it.
function choose(changes) {
    Object.assign(state, changes);
    compute();
    buttons();
    tiles();
    flame.show();
    table.show();
    found();
    timeline.show();
    remember();
}

function found() {
    search();
    flame.draw();
    get("found").textContent = matches === null ? "" : `${fmt.value(matched())}, ${fmt.percent(matched() / sums.total[0])}`;
}

function find(text) {
    state.search = text;
    if (get("search").value !== text) get("search").value = text;
    found();
    table.show(true);
    remember();
}

function buttons() {
    const fill = (id, list, chosen, pick) => get(id).replaceChildren(...list.map(([key, name]) => {
        const button = make("button", { type: "button" }, name);
        button.setAttribute("aria-pressed", key === chosen);
        button.dataset.key = key;
        button.addEventListener("click", () => { pick(key); get(id).querySelector("[aria-pressed=true]").focus(); });
        return button;
    }));
    fill("metrics", KINDS.filter(([key]) => kinds().includes(key)), state.kind, kind => choose({ kind }));
    fill("units", UNITS, state.unit, unit => choose({ unit }));
    const tabs = Object.entries(TABLES).map(([key, { title }]) => {
        const tab = make("button", { type: "button" }, title);
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-selected", key === state.tab);
        tab.dataset.key = key;
        tab.addEventListener("click", () => { state.tab = key; buttons(); table.show(); remember(); });
        return tab;
    });
    get("tabs").replaceChildren(...tabs);
    const select = (id, list, chosen) => {
        get(id).replaceChildren(...list.map(([value, name]) => make("option", { value, selected: value === chosen }, name)));
        get(id).value = chosen;
    };
    const named = data.snapshots.map(({ title }, index) => [index, title]);
    get("snapshot").hidden = get("base").hidden = data.snapshots.length < 2;
    select("snapshot", named, state.snapshot);
    select("base", [[-1, "compared with …"], ...named.filter(([index]) => index !== state.snapshot).map(([index, name]) => [index, `against ${name}`])], state.base);
    const threads = [...data.threads.keys()].map(index => [index, `${data.threads[index] || "(no name)"}`]);
    get("thread").hidden = threads.length < 2;
    select("thread", [[-1, `All ${fmt.count(threads.length)} threads`], ...threads.sort((a, b) => a[1].localeCompare(b[1]))], state.thread);
}

get("snapshot").addEventListener("change", event => {
    const snapshot = Number(event.target.value);
    choose({ snapshot, base: state.base === snapshot ? -1 : state.base });
});
get("base").addEventListener("change", event => choose({ base: Number(event.target.value) }));
get("thread").addEventListener("change", event => choose({ thread: Number(event.target.value) }));
let waiting = 0;
get("search").addEventListener("input", event => {
    clearTimeout(waiting);
    waiting = setTimeout(() => find(event.target.value), 80);
});
get("reset").addEventListener("click", () => { flame.zoom(0); remember(); });
addEventListener("keydown", event => {
    if (event.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) { get("search").focus(); event.preventDefault(); }
    if (event.key === "Escape" && document.activeElement === get("search")) find("");
});
addEventListener("hashchange", () => { recall(); choose({}); });

get("about").textContent = data.about;
for (const note of data.notes) get("notes").append(make("p", { className: "note" }, note));
recall();
choose({});
