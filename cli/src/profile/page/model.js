// The data of the page as the views want it: one tree of functions, its sums for what is chosen.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const KINDS = [["live", "Live"], ["allocated", "Allocated"], ["peak", "At the peak"]];
const UNITS = [["bytes", "Bytes"], ["blocks", "Blocks"]];
const COLUMNS = 7; // of a snapshot's row: the stack, then bytes and blocks of each kind

/// What is chosen; kept in the address, so that a view can be linked to.
const state = { kind: data.kind, unit: "bytes", snapshot: data.chosen, base: data.base, thread: -1, search: "", tab: "functions", zoom: 0 };

const fmt = {
    bytes(value) {
        const units = ["B", "KiB", "MiB", "GiB", "TiB"];
        let unit = 0, size = Math.abs(value);
        while (size >= 1023.5 && unit < units.length - 1) { size /= 1024; unit++; }
        const text = unit === 0 ? size.toFixed(0) : size >= 99.95 ? size.toFixed(0) : size >= 9.995 ? size.toFixed(1) : size.toFixed(2);
        return `${value < 0 ? "−" : ""}${text} ${units[unit]}`;
    },
    count: value => `${value < 0 ? "−" : ""}${Math.abs(Math.round(value)).toLocaleString("en-US")}`,
    blocks: value => `${fmt.count(value)} ${Math.abs(Math.round(value)) === 1 ? "block" : "blocks"}`,
    value: (value, unit = state.unit) => unit === "bytes" ? fmt.bytes(value) : fmt.count(value),
    signed: (value, unit = state.unit) => (value > 0 ? "+" : "") + fmt.value(value, unit),
    percent: share => !isFinite(share) ? "–" : `${(share * 100).toFixed(Math.abs(share) >= 0.0995 ? 0 : 1)} %`,
    seconds: value => value >= 100 ? `${value.toFixed(0)} s` : value >= 1 ? `${value.toFixed(2)} s` : `${(value * 1000).toFixed(0)} ms`,
    base: path => path.slice(path.lastIndexOf("/") + 1),
};

const functionOf = frame => data.frames.function[frame];
const nameOf = fn => data.functions.name[fn];
const objectOf = fn => data.objects[data.functions.object[fn]];
const fileOf = fn => data.files[data.functions.file[fn]];

/// Frames of one function under one caller are one node here, whatever their lines. Node 0 is all. Parents come first.
const tree = (() => {
    const nodes = data.nodes.parent.length, merged = new Int32Array(nodes);
    const parent = [-1], fn = [-1], depth = [0], children = [[]], found = new Map();
    for (let node = 1; node < nodes; node++) {
        const up = merged[data.nodes.parent[node]], f = functionOf(data.nodes.frame[node]);
        const key = up * data.functions.name.length + f;
        let at = found.get(key);
        if (at === undefined) {
            at = parent.length;
            found.set(key, at);
            parent.push(up); fn.push(f); depth.push(depth[up] + 1); children.push([]);
            children[up].push(at);
        }
        merged[node] = at;
    }
    return { merged, parent, fn, depth, children, size: parent.length };
})();

/// Frames of a stack, innermost first.
function framesOf(stack) {
    const frames = [];
    for (let node = data.stacks.node[stack]; node > 0; node = data.nodes.parent[node]) frames.push(data.nodes.frame[node]);
    return frames;
}

const column = (kind, unit) => 1 + 2 * KINDS.findIndex(([key]) => key === kind) + (unit === "blocks" ? 1 : 0);

/// Calls back with each stack that passes the choice of a thread, and its row in the snapshot.
function eachRow(snapshot, visit) {
    const rows = data.snapshots[snapshot].rows;
    for (let at = 0; at < rows.length; at += COLUMNS)
        if (state.thread < 0 || data.stacks.thread[rows[at]] === state.thread) visit(rows[at], rows, at);
}

/// Sums for what is chosen. In a comparison `width` is the larger of before and after, so that what vanished is seen too.
let sums;
function compute() {
    const of = (snapshot, kind, unit) => {
        const at = column(kind, unit), values = new Float64Array(data.stacks.node.length);
        eachRow(snapshot, (stack, rows, row) => { values[stack] += rows[row + at]; });
        return values;
    };
    const now = of(state.snapshot, state.kind, state.unit);
    const before = state.base >= 0 ? of(state.base, state.kind, state.unit) : null;
    const add = (into, node, value) => { into[node] += value; };
    const self = new Float64Array(tree.size), selfBefore = new Float64Array(tree.size), width = new Float64Array(tree.size);
    for (let stack = 0; stack < now.length; stack++) {
        const node = tree.merged[data.stacks.node[stack]];
        add(self, node, now[stack]);
        if (before) add(selfBefore, node, before[stack]);
    }
    for (let node = 0; node < tree.size; node++) width[node] = before ? Math.max(self[node], selfBefore[node]) : self[node];
    const up = own => {
        const total = Float64Array.from(own);
        for (let node = tree.size - 1; node > 0; node--) total[tree.parent[node]] += total[node];
        return total;
    };
    sums = { self, selfBefore, total: up(self), before: up(selfBefore), width: up(width), stacks: now, stacksBefore: before };
    layOut();
}

/// Where each node begins and ends, of 0 to 1; the larger of two children first.
function layOut() {
    const left = new Float64Array(tree.size), right = new Float64Array(tree.size);
    right[0] = 1;
    const scale = sums.width[0] > 0 ? 1 / sums.width[0] : 0;
    for (let node = 0; node < tree.size; node++) {
        let at = left[node];
        const order = tree.children[node].filter(child => sums.width[child] > 0).sort((a, b) => sums.width[b] - sums.width[a]);
        for (const child of order) {
            left[child] = at;
            at += sums.width[child] * scale;
            right[child] = at;
        }
        tree.children[node].order = order;
    }
    sums.left = left;
    sums.right = right;
}

/// Which functions the search names; null without one.
let matches = null;
function search() {
    const text = state.search.trim().toLowerCase();
    if (text === "") { matches = null; return; }
    matches = new Uint8Array(data.functions.name.length);
    for (let fn = 0; fn < matches.length; fn++)
        matches[fn] = [nameOf(fn), objectOf(fn), fileOf(fn)].some(part => part.toLowerCase().includes(text)) ? 1 : 0;
}

/// How much of what is shown has a match somewhere on its stack: each byte once.
function matched() {
    let sum = 0;
    const inside = new Uint8Array(tree.size);
    for (let node = 1; node < tree.size; node++) {
        inside[node] = inside[tree.parent[node]] || matches[tree.fn[node]];
        if (inside[node]) sum += sums.self[node];
    }
    return sum;
}

/// Whose allocation a stack is: a frame.
const siteOf = stack => data.stacks.site[stack] ?? undefined;
const where = frame => {
    const line = data.frames.line[frame], file = fileOf(functionOf(frame));
    return file === "" ? "" : line > 0 ? `${file}:${line}` : file;
};
