// What stands around the flame graph: tiles, the tip at the pointer, the tables.
"use strict";
const make = (tag, properties = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
};

const tip = (() => {
    const box = document.getElementById("tip"), status = document.getElementById("status");
    const whole = () => sums.total[0];
    const lines = node => {
        const files = new Set();
        for (let at = 1; at < tree.merged.length; at++)
            if (tree.merged[at] === node && where(data.nodes.frame[at]) !== "") files.add(where(data.nodes.frame[at]));
        return [...files];
    };
    return {
        hide() { box.hidden = true; },
        at(event, node) {
            if (node < 0) { this.hide(); return; }
            const row = (name, ...cells) => make("tr", {}, make("td", {}, name), ...cells.map(cell => make("td", {}, cell)));
            box.replaceChildren();
            if (node === 0) box.append(make("b", {}, "all"));
            else {
                const places = lines(node);
                box.append(make("div", { className: "name" }, nameOf(tree.fn[node])));
                const from = places.length > 0 ? places.slice(0, 3).join(", ") + (places.length > 3 ? `, and ${places.length - 3} more lines` : "") : "";
                box.append(make("div", { className: "at" }, [from, objectOf(tree.fn[node])].filter(text => text !== "").join(" · ")));
            }
            const table = make("table");
            if (state.base >= 0) {
                table.append(row("before", fmt.value(sums.before[node])), row("now", fmt.value(sums.total[node])),
                    row("change", fmt.signed(sums.total[node] - sums.before[node])));
            } else {
                table.append(row("total", fmt.value(sums.total[node]), fmt.percent(sums.total[node] / whole())));
                if (node > 0) table.append(row("self", fmt.value(sums.self[node]), fmt.percent(sums.self[node] / whole())));
            }
            box.append(table);
            box.hidden = false;
            const { width, height } = box.getBoundingClientRect();
            box.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8))}px`;
            box.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 12 : event.clientY + 18}px`;
        },
        status(node) {
            status.textContent = node < 0 ? "" : node === 0 ? "all" :
                `${nameOf(tree.fn[node])}: ${fmt.value(sums.total[node])}, ${fmt.percent(sums.total[node] / whole())}`;
        },
    };
})();

function tiles() {
    const list = document.getElementById("tiles"), snapshot = data.snapshots[state.snapshot];
    const total = new Float64Array(COLUMNS);
    for (let at = 0; at < snapshot.rows.length; at++) if (at % COLUMNS > 0) total[at % COLUMNS] += snapshot.rows[at];
    const tile = (figure, text) => list.append(make("li", {}, make("b", {}, figure), make("span", {}, text)));
    list.replaceChildren();
    tile(fmt.bytes(total[1]), `live ${data.snapshots.length > 1 && data.base < 0 ? snapshot.title : data.when}, in ${fmt.blocks(total[2])}`);
    if (snapshot.peak) tile(fmt.bytes(total[5]), `at the peak, in ${fmt.blocks(total[6])}`);
    tile(fmt.bytes(total[3]), `allocated, in ${fmt.blocks(total[4])}`);
    const points = data.timeline?.points ?? [];
    if (points.length > 0) {
        tile(fmt.bytes(points.reduce((most, point) => Math.max(most, point.resident), data.timeline.most)), "resident at most");
        tile(fmt.seconds(points[points.length - 1].at), "from start to end");
    }
    tile(snapshot.period > 1 ? `1 in ${fmt.bytes(snapshot.period)}` : "every block", `sampled, of ${fmt.count(snapshot.rows.length / COLUMNS)} stacks`);
}

const share = part => make("td", { className: "share" }, make("div", {}, make("span", {}, fmt.percent(part)),
    Object.assign(make("i"), { style: `width:${Math.max(0, Math.min(1, isFinite(part) ? part : 0)) * 3.2}rem` })));
const change = (value, unit) => make("td", { className: value > 0 ? "plus" : value < 0 ? "minus" : "" }, fmt.signed(value, unit));

/// Rows of each table: what it shows in columns, and what opens below a row. A column: title, its figure, its cell.
const TABLES = {
    functions: {
        title: "Functions",
        rows() {
            const functions = data.functions.name.length, self = new Float64Array(functions), total = new Float64Array(functions), before = new Float64Array(functions);
            for (let node = 1; node < tree.size; node++) {
                const fn = tree.fn[node];
                self[fn] += sums.self[node];
                let outer = tree.parent[node];
                while (outer > 0 && tree.fn[outer] !== fn) outer = tree.parent[outer];
                if (outer <= 0) { total[fn] += sums.total[node]; before[fn] += sums.before[node]; } // a recursion counts once
            }
            return [...total.keys()].filter(fn => total[fn] > 0 || before[fn] > 0).map(fn => ({ fn, self: self[fn], total: total[fn], change: total[fn] - before[fn] }));
        },
        columns: () => [
            { title: "Self", value: row => row.self },
            { title: "Total", value: row => row.total },
            { title: "Share", value: row => row.total, cell: row => share(row.total / sums.total[0]) },
            ...(state.base >= 0 ? [{ title: "Change", value: row => row.change, cell: row => change(row.change) }] : []),
        ],
        first: () => state.base >= 0 ? 3 : 0,
        text: row => [make("span", { className: "name" }, nameOf(row.fn)), make("div", { className: "at" }, [fileOf(row.fn), fmt.base(objectOf(row.fn))].filter(text => text).join(" · "))],
        named: row => [nameOf(row.fn), objectOf(row.fn), fileOf(row.fn)],
        click: row => find(nameOf(row.fn)),
    },
    stacks: {
        title: "Stacks",
        rows() {
            const rows = [], of = figures(state.snapshot), was = state.base >= 0 ? figures(state.base) : new Map();
            for (const stack of new Set([...of.keys(), ...was.keys()])) {
                const now = of.get(stack) ?? NOTHING, then = was.get(stack) ?? NOTHING, at = column(state.kind, state.unit) - 1;
                if (now[at] > 0 || then[at] > 0) rows.push({ stack, site: siteOf(stack), now, value: now[at], change: now[at] - then[at] });
            }
            return rows;
        },
        columns: () => [
            { title: "Live", value: row => row.now[0], cell: row => make("td", {}, fmt.bytes(row.now[0])) },
            { title: "Blocks", value: row => row.now[1], cell: row => make("td", {}, fmt.count(row.now[1])) },
            { title: "Allocated", value: row => row.now[2], cell: row => make("td", {}, fmt.bytes(row.now[2])) },
            { title: "Share", value: row => row.value, cell: row => share(row.value / sums.total[0]) },
            ...(state.base >= 0 ? [{ title: "Change", value: row => row.change, cell: row => change(row.change) }] : []),
        ],
        first: () => state.base >= 0 ? 4 : 3,
        text: row => siteText(row.site, data.threads[data.stacks.thread[row.stack]]),
        named: row => framesOf(row.stack).map(functionOf).flatMap(fn => [nameOf(fn), objectOf(fn), fileOf(fn)]),
        open: row => stackList(row.stack, row.site),
    },
    left: {
        title: data.when === "at exit" ? "Live at exit" : "Still live",
        rows() {
            const sites = new Map();
            for (const [stack, now] of figures(state.snapshot)) {
                if (now[0] === 0) continue;
                const site = siteOf(stack);
                if (!sites.has(site)) sites.set(site, { site, bytes: 0, blocks: 0, stacks: [] });
                const row = sites.get(site);
                row.bytes += now[0]; row.blocks += now[1]; row.stacks.push([stack, now[0]]);
            }
            return [...sites.values()];
        },
        columns: () => {
            let whole = 0;
            eachRow(state.snapshot, (_, rows, at) => { whole += rows[at + 1]; });
            return [
                { title: "Bytes", value: row => row.bytes, cell: row => make("td", {}, fmt.bytes(row.bytes)) },
                { title: "Blocks", value: row => row.blocks, cell: row => make("td", {}, fmt.count(row.blocks)) },
                { title: "Each", value: row => row.bytes / Math.max(row.blocks, 1), cell: row => make("td", {}, fmt.bytes(row.bytes / Math.max(row.blocks, 1))) },
                { title: "Share", value: row => row.bytes, cell: row => share(row.bytes / whole) },
            ];
        },
        first: () => 0,
        text: row => siteText(row.site, row.stacks.length === 1 ? data.threads[data.stacks.thread[row.stacks[0][0]]] : `${fmt.count(row.stacks.length)} stacks`),
        named: row => row.stacks.flatMap(([stack]) => framesOf(stack).map(functionOf).flatMap(fn => [nameOf(fn), objectOf(fn), fileOf(fn)])),
        open: row => {
            const box = make("div");
            for (const [stack, bytes] of row.stacks.sort((a, b) => b[1] - a[1]).slice(0, 20)) {
                if (row.stacks.length > 1) box.append(make("p", {}, `${fmt.bytes(bytes)}, thread ${data.threads[data.stacks.thread[stack]] || "–"}`));
                box.append(stackList(stack, row.site));
            }
            if (row.stacks.length > 20) box.append(make("p", {}, `and ${fmt.count(row.stacks.length - 20)} more stacks`));
            return box;
        },
    },
};
const NOTHING = [0, 0, 0, 0, 0, 0];

function figures(snapshot) {
    const of = new Map();
    eachRow(snapshot, (stack, rows, at) => of.set(stack, rows.slice(at + 1, at + COLUMNS)));
    return of;
}

function siteText(frame, beside) {
    if (frame === undefined) return [make("span", { className: "name" }, "[stack not known]")];
    const at = where(frame) || fmt.base(objectOf(functionOf(frame)));
    return [make("span", { className: "name" }, nameOf(functionOf(frame))), make("div", { className: "at" }, [at, beside].filter(text => text).join(" · "))];
}

function stackList(stack, site) {
    const list = make("ol", { className: "frames" });
    for (const frame of framesOf(stack)) {
        const at = where(frame) || fmt.base(objectOf(functionOf(frame)));
        const item = make("li", { className: frame === site ? "own" : "" }, nameOf(functionOf(frame)), " ", make("span", { className: "mute" }, at));
        if (data.frames.inlined[frame]) item.append(make("span", { className: "mute" }, " (inlined)"));
        list.append(item);
    }
    return list;
}

const table = (() => {
    const head = document.querySelector("#table thead"), body = document.querySelector("#table tbody"), more = document.getElementById("more");
    const PIECE = 100;
    let order = null, shown = PIECE, rows = [];
    const kind = () => TABLES[state.tab];
    const width = () => kind().columns().length + 1;

    function fill(from) {
        const columns = kind().columns();
        for (const row of rows.slice(from, shown)) {
            const tr = make("tr", { className: "row" });
            for (const column of columns) tr.append(column.cell ? column.cell(row) : make("td", {}, fmt.value(column.value(row))));
            tr.append(make("td", { className: "text" }, ...kind().text(row)));
            tr.addEventListener("click", () => kind().click ? kind().click(row) : toggle(tr, row));
            body.append(tr);
        }
        more.hidden = shown >= rows.length;
        more.textContent = `Show ${fmt.count(Math.min(PIECE * 5, rows.length - shown))} of ${fmt.count(rows.length - shown)} more`;
    }

    function toggle(tr, row) {
        const next = tr.nextElementSibling;
        if (next?.classList.contains("open")) { next.remove(); return; }
        tr.after(make("tr", { className: "open" }, make("td", { className: "text", colSpan: width() }, kind().open(row))));
    }

    more.addEventListener("click", () => { const from = shown; shown += PIECE * 5; fill(from); });
    return {
        /// Anew, from what is chosen.
        show(keep_order) {
            const columns = kind().columns();
            if (!keep_order || order === null || order.column >= columns.length) order = { column: kind().first(), down: true };
            const { value } = columns[order.column], sign = order.down ? -1 : 1;
            const absolute = columns[order.column].title === "Change" ? Math.abs : figure => figure;
            rows = kind().rows();
            const text = state.search.trim().toLowerCase();
            if (text !== "") rows = rows.filter(row => kind().named(row).some(part => part.toLowerCase().includes(text)));
            const others = columns.map(column => column.value);
            rows.sort((a, b) => sign * (absolute(value(a)) - absolute(value(b))) || others.reduce((found, other) => found || other(b) - other(a), 0));
            shown = PIECE;
            const titles = columns.map((column, at) => {
                const button = make("button", {}, column.title);
                button.addEventListener("click", () => { order = { column: at, down: order.column === at ? !order.down : true }; this.show(true); });
                const th = make("th", { scope: "col" }, button);
                if (order.column === at) th.setAttribute("aria-sort", order.down ? "descending" : "ascending");
                return th;
            });
            head.replaceChildren(make("tr", {}, ...titles, make("th", { className: "text", scope: "col" }, state.tab === "functions" ? "Function" : "Where")));
            body.replaceChildren();
            fill(0);
            if (rows.length === 0) body.append(make("tr", {}, make("td", { className: "text mute", colSpan: width() }, text === "" ? "Nothing." : "Nothing has this name.")));
        },
    };
})();
