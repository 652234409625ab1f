// Memory over time, and when the profiles were taken.
"use strict";
const SERIES = [["resident", "resident", "--line"], ["live", "live blocks", "--live"], ["cached", "free at hand", "--cached"]];
const timeline = (() => {
    const points = data.timeline?.points ?? [];
    if (points.length < 2) return { show() {} };
    document.getElementById("time").hidden = false;
    const svg = document.getElementById("timeline"), keys = document.getElementById("keys");
    const NAMESPACE = "http://www.w3.org/2000/svg";
    const add = (tag, attributes, text) => {
        const element = document.createElementNS(NAMESPACE, tag);
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        if (text !== undefined) element.textContent = text;
        svg.append(element);
        return element;
    };
    const last = Math.max(points[points.length - 1].at, 1e-3);
    const top = points.reduce((most, point) => Math.max(most, ...SERIES.map(([key]) => point[key] ?? 0)), 1);
    const series = SERIES.filter(([key]) => points.some(point => point[key] !== undefined));
    const LEFT = 62, RIGHT = 12, TOP = 8, BOTTOM = 22;
    let x, y, cross;

    /// A round step for about `count` of them; in powers of two where bytes are counted.
    const step = (whole, count, two) => {
        const rough = whole / count, base = two ? 1024 ** Math.floor(Math.log(rough) / Math.log(1024)) : 10 ** Math.floor(Math.log10(rough));
        return (two ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 5, 10]).map(k => k * base).find(s => s >= rough);
    };
    const round = text => text.replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");
    const text = value => round(fmt.bytes(value));

    function draw() {
        svg.replaceChildren();
        const wide = svg.clientWidth, high = svg.clientHeight;
        x = at => LEFT + at / last * (wide - LEFT - RIGHT);
        y = value => TOP + (1 - value / (top * 1.05)) * (high - TOP - BOTTOM);
        for (let value = 0, s = step(top, 4, true); value <= top * 1.02; value += s) {
            add("line", { class: "grid", x1: LEFT, x2: wide - RIGHT, y1: y(value), y2: y(value) });
            add("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value === 0 ? "0" : text(value));
        }
        for (let at = 0, s = step(last, wide > 800 ? 8 : 4, false); at <= last * 1.001; at += s)
            add("text", { x: x(at), y: high - 5, "text-anchor": at === 0 ? "start" : at > last * 0.97 ? "end" : "middle" }, at === 0 ? "0" : round(fmt.seconds(at)));
        for (const [key, , colour] of series) {
            const known = points.filter(point => point[key] !== undefined);
            const line = known.map(point => `${x(point.at).toFixed(1)},${y(point[key]).toFixed(1)}`).join(" ");
            if (key === "resident") add("polygon", { class: "area", points: `${x(known[0].at)},${y(0)} ${line} ${x(known[known.length - 1].at)},${y(0)}` });
            add("polyline", { class: "pt", points: line, style: `stroke:var(${colour})` });
        }
        const taken = data.snapshots.filter(one => one.process === data.snapshots[state.snapshot].process).length;
        data.snapshots.forEach((snapshot, index) => {
            const at = snapshot.time - data.timeline.start;
            if (snapshot.process === data.snapshots[state.snapshot].process && taken > 1 && at >= 0 && at <= last * 1.02)
                add("line", { class: `taken${index === state.snapshot ? " chosen" : ""}`, x1: x(Math.min(at, last)), x2: x(Math.min(at, last)), y1: TOP, y2: y(0) });
        });
        cross = add("line", { class: "cross", y1: TOP, y2: y(0), visibility: "hidden" });
    }

    const tipBox = document.getElementById("tip");
    svg.addEventListener("mousemove", event => {
        const box = svg.getBoundingClientRect(), at = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT) * last;
        const near = points.reduce((best, point) => Math.abs(point.at - at) < Math.abs(best.at - at) ? point : best);
        cross.setAttribute("x1", x(near.at)); cross.setAttribute("x2", x(near.at)); cross.setAttribute("visibility", "visible");
        const figure = key => points.reduce((best, point) => point[key] !== undefined && (best === null || Math.abs(point.at - at) < Math.abs(best.at - at)) ? point : best, null)[key];
        const rows = series.map(([key, name]) => make("tr", {}, make("td", {}, name), make("td", {}, fmt.bytes(figure(key)))));
        tipBox.replaceChildren(make("b", {}, fmt.seconds(near.at)), make("table", {}, ...rows));
        tipBox.hidden = false;
        tipBox.style.left = `${Math.min(event.clientX + 14, innerWidth - tipBox.offsetWidth - 8)}px`;
        tipBox.style.top = `${event.clientY + 16}px`;
    });
    svg.addEventListener("mouseleave", () => { tip.hide(); cross.setAttribute("visibility", "hidden"); });
    svg.addEventListener("click", event => {
        const box = svg.getBoundingClientRect(), at = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT) * last;
        const distance = index => Math.abs(data.snapshots[index].time - data.timeline.start - at);
        const own = [...data.snapshots.keys()].filter(index => data.snapshots[index].process === data.snapshots[state.snapshot].process);
        choose({ snapshot: own.reduce((best, index) => distance(index) < distance(best) ? index : best) });
    });
    addEventListener("resize", draw);
    for (const [, name, colour] of series) keys.append(Object.assign(make("i"), { style: `background:var(${colour})` }), name);
    return { show: draw };
})();
