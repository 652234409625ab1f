"""The tools around the benchmarks, on made-up results: comparison of two runs, the evaluation's tables, readers of other tools' output."""

import copy
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parents[1] / "scripts"))
import bench_agree  # noqa: E402
import bench_lib  # noqa: E402
import bench_means  # noqa: E402
import bench_report  # noqa: E402
import bench_run  # noqa: E402
import bench_stats  # noqa: E402
import bench_tables  # noqa: E402
import evaluate  # noqa: E402
import evaluate_causes  # noqa: E402
import evaluate_tables  # noqa: E402

CANNED = json.loads((here / "canned.json").read_text())


def faster(data, name, factor):
    """The same results with one allocator's throughput multiplied."""
    changed = copy.deepcopy(data)
    for benchmark in changed["benchmarks"]:
        for run in benchmark["results"].get(name, {}).get("runs", []):
            run["value"] *= factor if benchmark["unit"] == "ops/s" else 1 / factor
    return changed


def evaluation():
    """A result of evaluate.py in which V2=1 makes 200 M/s, V2=0 100, mimalloc 250, system 50."""
    benchmarks, series = evaluate.catalogue(False)
    speed = {"system": 50e6, "mimalloc": 250e6, "hakmem": 200e6, "hakmem_v2off": 100e6}
    data = {key: copy.deepcopy(CANNED[key]) for key in ("schema", "begun", "minutes", "commit", "machine", "environment", "left_out", "notes")}
    data.update(mode="evaluation", command="scripts/evaluate.sh", interrupted=False, rounds_planned=3)
    data["machine"]["simulated_caches"] = evaluate_causes.CACHES
    data["allocators"] = [a for a in copy.deepcopy(CANNED["allocators"]) if a["name"] in speed]
    data["series"] = {key: vars(value) for key, value in series.items()}
    data["benchmarks"] = [{"name": b.name, "group": b.group, "question": b.question, "command": b.shown(), "unit": b.unit,
                           "points": b.points, "program": "", "results": {}} for b in benchmarks]
    for benchmark in data["benchmarks"]:
        for name, value in speed.items():
            benchmark["results"][name] = {
                "runs": [{"round": number, "value": value * (1 + number / 100), "wall_s": 1.0, "cpu_s": 1.0, "system_s": 0.0,
                          "peak_rss_kib": 2048, "faults": 100} for number in (-1, 0, 1)],
                "causes": {"counts": {"ops": 10, "instructions": 500 if name == "hakmem" else 400, "in_allocator": 100, "d1": 1, "l2": 0},
                           "calls": {"ops": 1_000_000, "by": "strace", "calls": {"mmap": 3, "futex": 4, "read": 5}},
                           "faults": {"ops": 1_000_000, "faults": 7}}}
        benchmark["results"]["hakmem"]["causes"]["events"] = {"ops": 1_000_000, "events": {"refills": 11, "flushes": 22}}
    return data


class Agreement(unittest.TestCase):
    def test_a_run_agrees_with_itself(self):
        outside, count, unmatched = bench_agree.compare(CANNED, CANNED, 0)
        self.assertEqual((outside, unmatched), ([], []))
        self.assertGreater(count, 50)

    def test_a_faster_allocator_lies_outside_and_nobody_else(self):
        outside, _, _ = bench_agree.compare(CANNED, faster(CANNED, "hakmem", 3), 0.01)
        self.assertEqual({name for _, name, _, _ in outside}, {"hakmem"})
        self.assertIn("geometric mean of time, C programs", [what for what, *_ in outside])
        self.assertFalse([what for what, *_ in outside if "RSS" in what])

    def test_a_faster_machine_changes_no_ratio(self):
        changed = CANNED
        for name in bench_stats.names(CANNED):
            changed = faster(changed, name, 1.7)
        self.assertEqual(bench_agree.compare(CANNED, changed, 1e-9)[0], [])

    def test_other_work_is_not_compared(self):
        changed = copy.deepcopy(CANNED)
        changed["benchmarks"][0]["command"] += " 1"
        self.assertEqual(bench_agree.compare(CANNED, changed, 0)[2], [CANNED["benchmarks"][0]["name"]])


class Readers(unittest.TestCase):
    def test_strace_and_perf(self):
        strace = ("% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ---- ---- ---- ----\n"
                  " 60.00    0.000010           1        12           mmap\n 40.00    0.000001           1         3         2 futex\n"
                  "------ ----------- ---- ---- ---- ----\n100.00    0.000011           1        15         2 total\n")
        self.assertEqual(bench_run.read_calls(strace), {"mmap": 12, "futex": 3})
        self.assertEqual(bench_run.read_calls("# started\n\n29,,raw_syscalls:sys_enter,117,100.00,,\n"), {"all": 29})
        calls = {"benchmark": {"results": {"a": {"system_calls": {"all": 29}}}}}["benchmark"]
        self.assertEqual(bench_stats.system_calls(calls, "a"), (29, None))

    def test_callgrind_counts_each_instruction_once_and_where_it_ran(self):
        text = ("events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw\n\nob=/bin/program\nfn=main\n0 10 1 1 0 2 1 0 1\n"
                "cob=/lib/liballoc.so\ncfn=malloc\ncalls=1 0 \n0 1000 9 9 9 9 9 9 9 9\n0 5\n\n"
                "ob=/lib/liballoc.so\nfn=malloc\n0 900 9 9 0 4 3 0 2 1\ntotals: 915\n")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            self.assertEqual(evaluate_causes.read_callgrind(file.name, "liballoc.so"),
                             {"instructions": 915, "in_allocator": 900, "d1": 10, "l2": 4})

    def test_statistics_are_summed_over_the_classes(self):
        text = ("hakmem: statistics\n  live bytes 1\n  class   size  spans      live    cached      free   refills   flushes\n"
                "  C0        16      1         0        16      4080         1         2\n  C19     1024      1         0         0         0        10        20\n")
        self.assertEqual(evaluate_causes.read_events(text), {"refills": 11, "flushes": 22})
        self.assertRaises(Exception, evaluate_causes.read_events, "nothing here\n")

    def test_figures_beside_the_speed(self):
        text = ("Throughput = 3.00 ops/s [a=1] time=1.0s  served_by=system peak_rss_kib=1 faults=1\n"
                "figure p99.9_ns=3520\nfigure worst_second_rss_over_live=1.25\nfigure empty=\nfigure a b=1\n")
        self.assertEqual(dict(bench_lib.FIGURE.findall(text)), {"p99.9_ns": "3520", "worst_second_rss_over_live": "1.25"})
        self.assertEqual(bench_run.OVER_LIVE.findall(text), [])
        self.assertTrue(bench_run.OVER_LIVE.findall("[rss_over_live=1.5]"))

    def test_figures_are_in_the_report(self):
        tail = next(b for b in CANNED["benchmarks"] if b["name"] == "tail")
        self.assertEqual(bench_stats.figures(tail), ["p50_ns", "p99.99_ns", "longest_ns"])
        self.assertIsNone(bench_stats.figure(tail, "jemalloc", "p50_ns"))  # it failed
        self.assertRegex(bench_report.markdown(CANNED), r"\| tail \| p99\.99_ns \| [0-9,.]+ \| [0-9,.]+ \| – \|")
        self.assertIn("<td style=\"text-align:left\">longest_ns</td>", bench_report.html_details(CANNED))

    def test_operations_are_exact_where_the_program_counts_them(self):
        line = "Throughput = {} ops/s [{}] time={}s  served_by=system peak_rss_kib=1 faults=1\n"
        self.assertEqual(evaluate_causes.operations(line.format("3000.00", "iter=1 ws=2", "0.000000")), 1)
        self.assertEqual(evaluate_causes.operations(line.format("3000.00", "size=8-64", "0.500000")), 1500)


class Tables(unittest.TestCase):
    def test_every_table_is_made_with_its_command(self):
        made = evaluate_tables.tables(evaluation())
        self.assertEqual(set(made), set(evaluate_tables.TITLES))
        for name in (*evaluate_tables.TIMED, *evaluate_tables.CAUSES):
            self.assertIn(f"scripts/evaluate.sh --rounds 3 --only {name}\n" if name in evaluate_tables.TIMED
                          else f"scripts/evaluate.sh --only {name}\n", made[name])
            self.assertNotRegex(made[name], r"\b(nan|None|inf)\b")
        self.assertIn("| 16 | 50.0 (49.5–50.5) | 250 (248–252) | 200 (198–202) | 100 (99.0–101) | 2.00 | 4.00 | 0.80 |", made["larson_8_64"])
        self.assertIn("12 (3; 4)", made["calls"])
        self.assertIn("10.0 of 50.0; 0.100; 0.0000", made["counts"])
        self.assertIn("11, 22, 0, 0, 0, 0", made["events"])

    def test_a_gap_names_what_there_is_more_of(self):
        rows = [line for line in evaluate_tables.tables(evaluation())["gaps"].splitlines() if line.startswith("| `")]
        self.assertEqual(len(rows), 28)
        for row in rows:
            self.assertIn("| mimalloc | 0.80 | yes | instructions 50.0 against 40.0 | 33 /M |", row)

    def test_a_failed_cell_is_no_figure(self):
        data = evaluation()
        data["benchmarks"][0]["results"]["mimalloc"] = {"runs": [], "failed": "signal 11"}
        self.assertIn("failed", evaluate_tables.tables(data)[next(iter(data["benchmarks"][0]["points"]))])

    def test_the_document_keeps_its_prose(self):
        data = evaluation()
        with tempfile.TemporaryDirectory() as folder:
            document = Path(folder) / "document.md"
            document.write_text("before\n<!-- table: calls -->\nold\n<!-- end -->\nafter\n<!-- table: ws_10m -->\n<!-- end -->\n")
            notes = evaluate_tables.replace_in(document, data)
            once = document.read_text()
            self.assertTrue(once.startswith("before\n<!-- table: calls -->\n\n    scripts/evaluate.sh"))
            self.assertIn("<!-- end -->\nafter\n<!-- table: ws_10m -->\n\n    scripts", once)
            self.assertNotIn("old", once)
            self.assertIn("document.md has no place for the table 'gaps'", notes)
            evaluate_tables.replace_in(document, data)
            self.assertEqual(document.read_text(), once)
            for benchmark in data["benchmarks"]:
                for result in benchmark["results"].values():
                    del result["causes"]
            self.assertIn("no figures for the table 'calls': left as it was", evaluate_tables.replace_in(document, data))
            self.assertEqual(document.read_text(), once)

    def test_a_damaged_document_is_refused_and_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            document = Path(folder) / "document.md"
            for text in ("<!-- table: calls -->\n", "<!-- end -->\n", "<!-- table: bogus -->\n<!-- end -->\n",
                         "<!-- table: calls -->\n<!-- table: faults -->\n<!-- end -->\n<!-- end -->\n",
                         "<!-- table: calls -->\n<!-- end -->\n" * 2):
                document.write_text(text)
                self.assertRaises(evaluate_tables.TableError, evaluate_tables.replace_in, document, evaluation())
                self.assertEqual(document.read_text(), text)

    def test_the_evaluation_has_a_place_for_every_table(self):
        text = evaluate.DOCUMENT.read_text()
        for name in evaluate_tables.TITLES:
            self.assertEqual(text.count(f"<!-- table: {name} -->\n"), 1, name)


class DocumentTables(unittest.TestCase):
    RESULT = json.loads(bench_tables.FIGURES.read_text())

    def test_the_documents_have_the_tables_of_the_figures_beside_them(self):
        for name, text in bench_tables.tables(bench_tables.earlier(bench_tables.FIGURES)).items():
            self.assertIn(f"<!-- table: {name} -->\n{text}<!-- end -->\n", bench_tables.DOCUMENTS.get(name, bench_tables.BENCHMARKS).read_text())

    def test_the_means_are_those_of_the_report_and_who_is_behind_is_named(self):
        found = bench_means.condensed(faster(CANNED, "hakmem", 0.1))
        made = bench_means.tables(found)
        rows = {row[0]: row for row in (line.strip("| ").split(" | ") for line in made["means"].splitlines()[2:])}
        self.assertEqual(set(rows), {"HAKMEM", "hakmem_v2off", "a do-nothing allocator", *bench_stats.names(CANNED, "peer")})
        for row in bench_stats.summary(CANNED):
            if row["allocator"] == "mimalloc" and row["group"] == "c":
                self.assertIn(f"{row['time_vs_system'][0]:.3f}", rows["mimalloc"][1])
        self.assertIn("`tail`", made["behind"])
        self.assertRegex(made["method"], r"^\d+ \w+ 20\d\d, commit \w+, .* interleaved rounds")

    def test_the_best_is_bold_and_who_fails_says_so(self):
        result = {key: copy.deepcopy(value) for key, value in self.RESULT.items() if key != "all"}  # the means over all programs are another test's
        command = bench_tables.ROWS[0][1]
        result["figures"][command] = {
            "hakmem": {"ops": [2e8, 3e8, 4e8], "rss": [2048, 1024, 1024]}, "system": {"ops": [1e8, 1e8, 1e8], "rss": [512, 512, 512]}, "other": None}
        result["figures"] |= {other: result["figures"][command] for _, other, _ in bench_tables.ROWS}
        title = bench_tables.ROWS[0][0]
        rows = {name: text.splitlines()[2] for name, text in bench_tables.tables(result).items()}
        self.assertEqual(rows["speed"], f"| {title} | `{command}` | **300 M (200 M–400 M)** | 100 M | fails |")
        self.assertEqual(rows["memory"], f"| {title} | 1 | **0.5** | fails |")
        self.assertEqual(rows["ratios"], f"| {title} | **3** | fails |")

    def test_what_is_saved_is_read_as_it_was(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tables.json"
            bench_tables.save(path, self.RESULT)
            self.assertEqual(path.read_text(), bench_tables.FIGURES.read_text())
            self.assertEqual(bench_tables.earlier(path), self.RESULT)

    def test_a_document_without_its_marks_is_refused_and_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            document = Path(folder) / "document.md"
            for text in ("", "<!-- table: speed -->\n", "<!-- table: speed -->\n<!-- end -->\n" * 2):
                document.write_text(text)
                self.assertRaises(bench_lib.BenchError, bench_tables.write, document, "speed", "new\n")
                self.assertEqual(document.read_text(), text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
