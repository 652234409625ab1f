//! Pages in headless Chromium, with tests/report/check.js's look at them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What check.js found on a page, after `scripts` were run in it. `scheme`: 0 is dark, 1 light.
pub(crate) fn look(page: &Path, scripts: &[&str], scheme: usize, size: &str) -> Value {
    let folder = page.parent().unwrap();
    let mut all = String::new();
    for script in [scripts, &[include_str!("../../../tests/report/check.js")]].concat() {
        all += &format!("<script>{script}</script>");
    }
    let text = std::fs::read_to_string(page).unwrap();
    let at = text.rfind("</body>").unwrap();
    let probe = folder.join("probe.html");
    std::fs::write(&probe, format!("{}{all}{}", &text[..at], &text[at..])).unwrap();
    let dump = chromium(folder, scheme, size, &["--dump-dom", &format!("file://{}", probe.display())]);
    verdict(&dump, "verdict").expect("check.js left no verdict")
}

/// What a script left in an element of the page.
pub(crate) fn verdict(dump: &str, id: &str) -> Option<Value> {
    let text = dump.split(&format!("<pre id=\"{id}\">")).nth(1)?.split("</pre>").next()?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&text).ok()
}

pub(crate) fn chromium(folder: &Path, scheme: usize, size: &str, arguments: &[&str]) -> String {
    let done = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}/profile", folder.display()))
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--window-size={size}"))
        .args(arguments)
        .output()
        .expect("chromium is not installed: tests/cli/run.sh installs it");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
