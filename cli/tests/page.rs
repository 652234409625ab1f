//! The page and the chart in a real browser, by the same look at them as tests/report has (check.js): nothing outside
//! of the picture, nothing over another, nothing too pale, light and dark.

mod common;

use std::path::Path;

use common::browser::{chromium, look};
use common::say;

fn check(page: &Path, bars: u64) {
    // Chromium's number for a dark scheme is 0.
    for (scheme, size) in [(1, "1100,1400"), (0, "1100,1400"), (1, "520,900")] {
        let verdict = look(page, &[], scheme, size);
        assert_eq!(verdict["wrong"], serde_json::json!([]), "scheme {scheme}, {size}");
        assert_eq!(verdict["dark"], scheme == 0);
        assert_eq!(verdict["ground"].as_f64().unwrap() < 0.2, scheme == 0);
        assert_eq!(verdict["figures"]["chart"]["bars"], bars);
        assert_eq!(verdict["tables"], 1);
    }
}

#[test]
fn python_with_three_peers_makes_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let (page, chart) = (folder.path().join("page.html"), folder.path().join("chart.svg"));
    let program = "x = ['</script><b>' + str(i) for i in range(50000)]";
    let (page_name, chart_name) = (page.to_str().unwrap(), chart.to_str().unwrap());
    let peers = "mimalloc,jemalloc,tcmalloc";
    let arguments = [
        "compare",
        "-n",
        "2",
        "--with",
        peers,
        "--html",
        page_name,
        "--svg",
        chart_name,
        "--",
        common::PYTHON,
        "-c",
        program,
    ];
    say(&arguments).expect(0, "");
    check(&page, 4 * 5);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(!text.contains("</script>") && text.contains("&lt;/script&gt;&lt;b&gt;"), "the program is not escaped");
    let svg = std::fs::read_to_string(&chart).unwrap();
    assert!(svg.starts_with("<svg ") && !svg.contains("url(") && !svg.contains("href"), "not self-contained");
    // A chart of its own brings its colours: a picture of some size, and well-formed, else the browser shows an error.
    let url = format!("file://{}", chart.display());
    assert!(chromium(folder.path(), 0, "970,470", &["--dump-dom", &url]).contains("class=\"bar\""));
    let shot = folder.path().join("chart.png");
    chromium(folder.path(), 0, "970,470", &[&format!("--screenshot={}", shot.display()), &url]);
    assert!(std::fs::metadata(shot).unwrap().len() > 5000);
}

#[test]
fn odd_names_one_round_and_failures_still_make_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let library = common::library();
    let with = format!("<i>\"&'a very long name of an allocator={}", library.display());
    let picky = "case $LD_PRELOAD in '') exit 1;; esac";
    let arguments = ["compare", "-n", "1", "--with", &with, "--html", page.to_str().unwrap(), "--", "sh", "-c", picky];
    say(&arguments).expect(1, "");
    check(&page, 4 * 2);
    assert!(std::fs::read_to_string(&page).unwrap().contains("system: exit status 1"));
}
