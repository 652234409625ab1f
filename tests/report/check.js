// Appended to a copy of the report and run in a real browser: writes what is wrong with it into the page.
(() => {
    const wrong = [], say = text => wrong.push(text);
    const box = element => element.getBoundingClientRect();
    const name = element => `<${element.tagName}> "${(element.textContent || element.getAttribute("class") || "").slice(0, 40)}"`;

    const luminance = colour => {
        const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = luminance(getComputedStyle(document.body).backgroundColor);
    const contrast = colour => {
        const other = luminance(colour);
        return (Math.max(ground, other) + 0.05) / (Math.min(ground, other) + 0.05);
    };

    const figures = {};
    for (const svg of document.querySelectorAll("svg")) {
        const frame = box(svg), where = svg.id;
        const bars = [...svg.querySelectorAll("rect.bar")], points = [...svg.querySelectorAll(".pt")];
        const curves = [...svg.querySelectorAll("polyline.curve")], texts = [...svg.querySelectorAll("text")];
        figures[where] = { bars: bars.length, points: points.length, curves: curves.length };
        if (bars.length + points.length === 0)
            say(`${where}: neither bars nor points`);
        for (const bar of bars)
            if (!(box(bar).width > 0.5 && box(bar).height > 0.5)) say(`${where}: an empty bar: ${bar.outerHTML.slice(0, 120)}`);
        for (const curve of curves)
            if (curve.points.length < 2) say(`${where}: a curve of ${curve.points.length} points`);
        for (const element of [...bars, ...points, ...curves, ...texts]) {
            const b = box(element);
            if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 || b.bottom > frame.bottom + 1)
                say(`${where}: out of the picture: ${name(element)}`);
        }
        texts.forEach((one, i) => texts.slice(i + 1).forEach(other => {
            const a = box(one), b = box(other);
            const x = Math.min(a.right, b.right) - Math.max(a.left, b.left), y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (x > 1 && y > 3) say(`${where}: ${name(one)} lies on ${name(other)}`);
        }));
        for (const text of texts)
            if (contrast(getComputedStyle(text).fill) < 4.5) say(`${where}: too pale to read: ${name(text)}`);
        for (const mark of [...bars, ...points]) {
            const fill = getComputedStyle(mark).fill, stroke = getComputedStyle(mark).stroke;
            const seen = Math.max(...[fill, stroke].filter(c => c.startsWith("rgb")).map(contrast));
            if (seen < 2) say(`${where}: hardly visible: ${mark.outerHTML.slice(0, 120)}`);
        }
    }
    for (const match of document.documentElement.outerHTML.replace(/<script[^]*?<\/script>/g, "").matchAll(/.{30}\b(NaN|Infinity|undefined|None)\b.{30}/g))
        say(`not a number: ${match[0]}`);
    for (const element of document.querySelectorAll("link, img, iframe, object, script[src], [src]"))
        say(`not self-contained: ${element.outerHTML.slice(0, 120)}`);
    if (document.documentElement.scrollWidth > innerWidth)
        say(`wider than the window: ${document.documentElement.scrollWidth} > ${innerWidth}`);
    const verdict = document.createElement("pre");
    verdict.id = "verdict";
    verdict.textContent = JSON.stringify({
        figures, wrong, dark: matchMedia("(prefers-color-scheme: dark)").matches, ground,
        tables: document.querySelectorAll("table.summary").length, text: document.body.innerText.length,
    });
    document.body.append(verdict);
})();
