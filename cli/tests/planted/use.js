// Run in a copy of a profile's page: uses it as a person would, and writes what came of it into the page. `window.looked_for`
// names a function that is on it.
(async () => {
    const seen = {}, errors = [];
    addEventListener("error", event => errors.push(event.message));
    const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));
    const canvas = document.getElementById("flame"), pixels = () => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height), colours = new Map();
        for (let at = 0; at < data.length; at += 4) {
            const colour = data[at] << 16 | data[at + 1] << 8 | data[at + 2];
            if (data[at + 3] > 250) colours.set(colour, (colours.get(colour) ?? 0) + 1);
        }
        return [...colours.values()].filter(count => count > 40).length;
    };
    const node = tree.fn.findIndex((fn, at) => at > 0 && nameOf(fn) === window.looked_for);
    const mouse = (kind, at) => {
        const { x, w, y, h } = flame.rectangle(at);
        canvas.dispatchEvent(new MouseEvent(kind, { bubbles: true, clientX: x + w / 2, clientY: y + h / 2 }));
    };
    const press = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const click = selector => document.querySelector(selector).click();
    const rows = () => document.querySelectorAll("#table tbody tr.row").length;
    const wide = () => flame.rectangle(node).w / canvas.clientWidth;
    try {
        seen.node = node;
        seen.colours = pixels();
        seen.before = wide();
        mouse("mousemove", node);
        seen.tip = document.getElementById("tip").innerText;
        mouse("click", node);
        await pause(400);
        seen.zoomed = wide();
        seen.zoom_address = location.hash;
        seen.tip_gone = document.getElementById("tip").hidden;
        click("#reset");
        await pause(400);
        seen.reset = wide();
        const field = document.getElementById("search");
        field.value = window.looked_for;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        await pause(200);
        seen.found = document.getElementById("found").textContent;
        seen.rows_found = rows();
        press(field, "Escape");
        field.focus();
        press(field, "Escape");
        seen.not_found = document.getElementById("found").textContent;
        seen.live = sums.total[0];
        click("#metrics [data-key=allocated]");
        seen.allocated = sums.total[0];
        click("#units [data-key=blocks]");
        seen.blocks = sums.total[0];
        seen.pressed = [...document.querySelectorAll("[aria-pressed=true]")].map(button => button.textContent);
        const threads = document.getElementById("thread");
        seen.threads = [...threads.options].map(option => option.textContent);
        if (threads.options.length > 1) {
            const [, ...single] = [...threads.options].map(option => option.value);
            seen.by_thread = single.map(value => {
                threads.value = value;
                threads.dispatchEvent(new Event("change"));
                return sums.total[0];
            });
            threads.value = -1;
            threads.dispatchEvent(new Event("change"));
        }
        click("#metrics [data-key=live]");
        click("#units [data-key=bytes]");
        seen.tabs = {};
        for (const key of ["functions", "stacks", "left"]) {
            click(`#tabs [data-key=${key}]`);
            seen.tabs[key] = { rows: rows(), text: document.querySelector("#table tbody").innerText.slice(0, 400) };
            if (key !== "functions") {
                click("#table tbody tr.row");
                seen.tabs[key].opened = document.querySelector("#table tr.open")?.innerText ?? "";
            }
        }
        click("#table th button");
        seen.sorted = document.querySelector("#table th[aria-sort]").getAttribute("aria-sort");
        press(canvas, "ArrowDown");
        press(canvas, "ArrowDown");
        press(canvas, "Enter");
        await pause(400);
        seen.key_zoom = state.zoom;
        seen.status = document.getElementById("status").textContent;
        press(canvas, "Escape");
        await pause(400);
        const profiles = document.getElementById("snapshot");
        seen.profiles = [...profiles.options].map(option => option.textContent);
        if (profiles.options.length > 1 && state.base < 0) {
            seen.marks = document.querySelectorAll("#timeline .taken").length;
            profiles.value = 0;
            profiles.dispatchEvent(new Event("change"));
            seen.first_live = sums.total[0];
        }
        seen.nodes = tree.size;
        seen.stacks = data.stacks.node.length;
    } catch (error) {
        errors.push(String(error.stack ?? error));
    }
    seen.errors = errors;
    const verdict = document.createElement("pre");
    verdict.id = "used";
    verdict.textContent = JSON.stringify(seen);
    document.body.append(verdict);
})();
