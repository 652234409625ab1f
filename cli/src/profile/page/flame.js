// The flame graph: callers above, what they call below, as wide as what it holds. Drawn on a canvas: there may be a hundred thousand.
"use strict";
const ROW = 19, PAD = 5;
const flame = (() => {
    const canvas = document.getElementById("flame"), pen = canvas.getContext("2d");
    const dark = matchMedia("(prefers-color-scheme: dark)"), calm = matchMedia("(prefers-reduced-motion: reduce)");
    let view = [0, 1], running = 0, hovered = -1, focused = -1, rows = 1, wide = 0;

    // Objects by weight get the hues; who has no place among them is grey.
    const HUES = [24, 206, 158, 322, 48, 262, 96, 186, 350];
    const hues = new Map();
    function colourObjects() {
        const weight = new Map();
        for (let node = 1; node < tree.size; node++) {
            const object = data.functions.object[tree.fn[node]];
            weight.set(object, (weight.get(object) ?? 0) + sums.width[node]);
        }
        const program = data.program;
        const order = [...weight.keys()].filter(o => o !== program && data.objects[o] !== "").sort((a, b) => weight.get(b) - weight.get(a));
        if (hues.size === 0) {
            hues.set(program, HUES[0]);
            order.slice(0, HUES.length - 1).forEach((object, i) => hues.set(object, HUES[i + 1]));
        }
        return [program, ...order].filter(object => weight.get(object) > 0);
    }

    const hash = text => { let h = 7; for (let i = 0; i < text.length; i++) h = (h * 31 + text.charCodeAt(i)) >>> 0; return h; };
    const shades = new Map();
    function shade(fn) {
        if (!shades.has(fn)) shades.set(fn, (hash(nameOf(fn)) % 9) / 8);
        return shades.get(fn);
    }

    function fill(node) {
        const hue = hues.get(data.functions.object[tree.fn[node]]), s = shade(tree.fn[node]);
        if (state.base >= 0) return difference(node);
        if (hue === undefined) return dark.matches ? `hsl(215 6% ${28 + 5 * s}%)` : `hsl(215 8% ${82 + 5 * s}%)`;
        // Standard libraries' frames are paler, wherever they were compiled into: one's own code stands out.
        const pale = data.functions.passing[tree.fn[node]] ? 0.42 : 1;
        return dark.matches ? `hsl(${hue} ${(46 + 8 * s) * pale}% ${(25 + 6 * s) * (0.7 + 0.3 * pale)}%)` :
            `hsl(${hue} ${(68 + 10 * s) * (0.35 + 0.65 * pale)}% ${74 + 8 * s + 12 * (1 - pale)}%)`;
    }

    /// Red for more, blue for less; full at a quarter of all that is shown, so that small things are pale.
    function difference(node) {
        const change = sums.total[node] - sums.before[node], whole = Math.max(sums.total[0], sums.before[0], 1);
        const strength = Math.min(1, Math.sqrt(Math.abs(change) / whole * 4));
        if (strength < 0.03) return dark.matches ? "hsl(215 6% 26%)" : "hsl(215 14% 91%)";
        const hue = change > 0 ? 10 : 212;
        return dark.matches ? `hsl(${hue} ${20 + 50 * strength}% ${25 + 9 * strength}%)` : `hsl(${hue} ${50 + 40 * strength}% ${92 - 26 * strength}%)`;
    }

    /// As much of a name as fits: whole, without what stands in angle brackets, its last part, cut off.
    const narrow = name => {
        let out = "", level = 0;
        for (let i = 0; i < name.length; i++) {
            const c = name[i], operator = c === "<" && /operator<?$/.test(name.slice(0, i)) || c === ">" && /(operator>?|-)$/.test(name.slice(0, i));
            if (c === ">" && !operator && level > 0 && --level === 0) out += "…>";
            else if (level === 0) out += c;
            if (c === "<" && !operator && i > 0) level++;
        }
        return out.replace(/::<…>$/, "");
    };
    function label(name, room) {
        if (room < 22) return "";
        const fits = text => pen.measureText(text).width <= room;
        if (name.length * 5 < room * 1.6 && fits(name)) return name;
        const short = narrow(name);
        if (short.length * 4 < room * 1.6 && fits(short)) return short;
        // `{{closure}}` and the like say nothing without the function they are in.
        const parts = short.split("::"), last = parts.slice(parts.length > 1 && parts.at(-1).startsWith("{") ? -2 : -1).join("::");
        if (fits(last)) return last;
        let low = 0, high = Math.min(last.length, Math.ceil(room / 3));
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (fits(last.slice(0, middle) + "…")) low = middle; else high = middle - 1;
        }
        return low > 0 ? last.slice(0, low) + "…" : "";
    }

    const px = x => (x - view[0]) / (view[1] - view[0]) * wide;

    function draw() {
        const style = getComputedStyle(document.body);
        const ink = style.getPropertyValue("--ink"), ground = style.getPropertyValue("--ground"), panel = style.getPropertyValue("--panel");
        const accent = style.getPropertyValue("--accent"), line = style.getPropertyValue("--line");
        pen.clearRect(0, 0, wide, rows * ROW);
        pen.font = `12px ${style.fontFamily}`;
        pen.textBaseline = "middle";
        const stack = [0];
        while (stack.length > 0) {
            const node = stack.pop();
            const x0 = Math.max(0, px(sums.left[node])), x1 = Math.min(wide, px(sums.right[node]));
            if (x1 - x0 < 0.35 || x1 <= 0 || x0 >= wide) continue;
            const y = tree.depth[node] * ROW, w = Math.max(x1 - x0 - (x1 - x0 > 3 ? 1 : 0), 0.5);
            const miss = matches && node > 0 && !matches[tree.fn[node]];
            pen.globalAlpha = miss ? 0.28 : 1;
            pen.fillStyle = node === 0 ? panel : fill(node);
            pen.fillRect(x0, y, w, ROW - 1);
            pen.globalAlpha = 1;
            if (matches && node > 0 && !miss) {
                pen.fillStyle = accent;
                pen.fillRect(x0, y + ROW - 3.5, w, 2.5);
            }
            if (x1 - x0 > 22) {
                const name = node === 0 ? `all: ${state.base >= 0 ? fmt.signed(sums.total[0] - sums.before[0]) : fmt.value(sums.total[0])}` : nameOf(tree.fn[node]);
                const text = label(name, x1 - x0 - 2 * PAD);
                pen.globalAlpha = miss ? 0.62 : 1;
                pen.fillStyle = ink;
                pen.fillText(text, x0 + PAD, y + ROW / 2);
                pen.globalAlpha = 1;
            }
            if (node === hovered || node === focused) {
                pen.strokeStyle = node === focused ? line : ink;
                pen.lineWidth = node === focused ? 2 : 1;
                pen.strokeRect(x0 + 0.5, y + 0.5, Math.max(w - 1, 1), ROW - 2);
            }
            for (const child of tree.children[node].order) stack.push(child);
        }
        if (sums.width[0] === 0) {
            pen.fillStyle = style.getPropertyValue("--mute");
            pen.fillText("Nothing was sampled here.", PAD, ROW * 1.5);
        }
        canvas.style.background = ground;
    }

    function size() {
        wide = canvas.clientWidth;
        let deep = 1;
        for (let node = 0; node < tree.size; node++)
            if ((sums.right[node] - sums.left[node]) / (view[1] - view[0]) * wide >= 0.35 && sums.left[node] < view[1] && sums.right[node] > view[0])
                deep = Math.max(deep, tree.depth[node]);
        rows = Math.max(deep + 1, 3);
        const scale = window.devicePixelRatio || 1;
        canvas.style.height = `${rows * ROW}px`;
        canvas.width = Math.round(wide * scale);
        canvas.height = Math.round(rows * ROW * scale);
        pen.setTransform(scale, 0, 0, scale, 0, 0);
    }

    /// Moves the view to a node; its callers then reach over the whole width.
    function zoom(node, at_once) {
        state.zoom = node;
        const from = view, to = sums.width[node] > 0 ? [sums.left[node], sums.right[node]] : [0, 1];
        document.getElementById("reset").disabled = node === 0;
        cancelAnimationFrame(running);
        const arrive = () => { view = to; size(); draw(); };
        if (at_once || calm.matches || document.hidden) { arrive(); return; }
        const begin = performance.now();
        const step = now => {
            const t = Math.min(1, (now - begin) / 160), e = 1 - (1 - t) ** 3;
            view = [from[0] + (to[0] - from[0]) * e, from[1] + (to[1] - from[1]) * e];
            draw();
            if (t < 1) running = requestAnimationFrame(step); else arrive();
        };
        running = requestAnimationFrame(step);
    }

    function nodeAt(event) {
        const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, row = Math.floor((event.clientY - box.top) / ROW);
        const place = view[0] + x / wide * (view[1] - view[0]);
        let node = 0;
        while (tree.depth[node] < row) {
            const next = tree.children[node].order.find(child => sums.left[child] <= place && place < sums.right[child]);
            if (next === undefined) return -1;
            node = next;
        }
        return row < 0 ? -1 : node;
    }

    function move(key) {
        const from = focused < 0 ? state.zoom : focused, up = Math.max(tree.parent[from], 0);
        const beside = tree.children[up].order, at = beside.indexOf(from);
        if (key === "ArrowUp") return up;
        if (key === "ArrowDown") return tree.children[from].order[0] ?? from;
        return (key === "ArrowLeft" ? beside[at - 1] : beside[at + 1]) ?? from;
    }

    canvas.addEventListener("mousemove", event => {
        const node = nodeAt(event);
        if (node !== hovered) { hovered = node; draw(); }
        tip.at(event, node);
    });
    canvas.addEventListener("mouseleave", () => { hovered = -1; tip.hide(); draw(); });
    canvas.addEventListener("click", event => {
        const node = nodeAt(event);
        if (node >= 0) { focused = -1; tip.hide(); zoom(node); remember(); }
    });
    canvas.addEventListener("keydown", event => {
        if (event.key.startsWith("Arrow")) focused = move(event.key);
        else if (event.key === "Enter") { zoom(Math.max(focused, 0)); remember(); }
        else if (event.key === "Escape") { focused = -1; zoom(0); remember(); }
        else return;
        event.preventDefault();
        tip.status(focused);
        draw();
    });
    addEventListener("resize", () => { size(); draw(); });
    dark.addEventListener("change", draw);

    return {
        /// After a change of what is chosen.
        show() {
            const legend = colourObjects();
            zoom(sums.width[state.zoom] > 0 ? state.zoom : 0, true);
            const box = document.getElementById("legend");
            box.replaceChildren();
            const entry = (colour, text) => {
                const span = document.createElement("span"), dot = document.createElement("i");
                dot.style.background = colour;
                span.append(dot, text);
                box.append(span);
            };
            if (state.base >= 0) {
                entry("hsl(10 75% 55%)", "more than before");
                entry("hsl(212 75% 52%)", "less than before");
                return;
            }
            for (const object of legend.filter(object => hues.has(object)))
                entry(`hsl(${hues.get(object)} 55% ${dark.matches ? 42 : 62}%)`, fmt.base(data.objects[object]) || "unknown");
            if (legend.some(object => !hues.has(object))) entry("hsl(215 6% 55%)", "others");
        },
        draw, zoom,
        /// For tests: a node's rectangle in the window, and the node that a name has.
        rectangle(node) {
            const box = canvas.getBoundingClientRect();
            return { x: box.left + px(sums.left[node]), w: px(sums.right[node]) - px(sums.left[node]), y: box.top + tree.depth[node] * ROW, h: ROW };
        },
    };
})();
