# Chromium headless, which brings PartitionAlloc and as many processes as it likes. Where it is installed: too much to fetch
# for a test.
packages=""
limit=120
work() {
    command -v chromium >/dev/null || { echo 'chromium is not installed'; exit 77; }
    cat >page.html <<'H'
<html><body><p id=p></p><script>
let m = new Map(); for (let i = 0; i < 200000; i++) m.set('k' + i % 5000, 'x'.repeat(i % 300));
let c = document.createElement('canvas').getContext('2d'); c.fillRect(0, 0, 9, 9);
for (let i = 0; i < 2000; i++) { let d = document.createElement('div'); d.textContent = i; p.after(d); if (i % 2) d.remove(); }
p.textContent = [m.size, [...m.values()].join('').length, c.getImageData(3, 3, 1, 1).data[3], document.querySelectorAll('div').length];
</script></body></html>
H
    chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$PWD/profile" \
        --dump-dom "file://$PWD/page.html" >dom 2>err || { tail -n 3 err >&2; exit 1; }
    grep -o '<p id.*</p>' dom
    sum <dom
    rm -rf profile
}
