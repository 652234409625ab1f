#!/usr/bin/env python3
"""Writes a new version where the old one stands: Cargo's files, the header's numbers, the documents, the examples; and gives CHANGELOG.md's "Unreleased"
the version's name and today's date. docs/RELEASING.md has the steps around it. usage: scripts/set_version.py X.Y.Z"""
import datetime, os, re, sys
from pathlib import Path

os.chdir(Path(__file__).resolve().parent.parent)

def change(path, *pairs):
    text = Path(path).read_text()
    for old, new in pairs:
        text, found = re.subn(old, new, text, flags=re.M)
        if not found:
            sys.exit(f"{path} no longer says {old}")
    Path(path).write_text(text)

def main():
    if len(sys.argv) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+", sys.argv[1]):
        sys.exit(__doc__)
    new = sys.argv[1]
    old = re.search(r'^version = "(.*)"', Path("Cargo.toml").read_text(), re.M)[1]
    if [*map(int, new.split("."))] <= [*map(int, old.split("."))]:
        sys.exit(f"{new} is not after {old}")
    if new.split(".")[0] != old.split(".")[0]:
        sys.exit("another first number is another SONAME: build.rs, scripts/link.sh, the packages' names and hakmem.map say it too")
    full, short, new_short = re.escape(old), re.escape(old.rsplit(".", 1)[0]), new.rsplit(".", 1)[0]
    for path in ["Cargo.toml", "cli/Cargo.toml"]:
        change(path, (rf'^version = "{full}"', f'version = "{new}"'))
    for path in ["Cargo.lock", "cli/Cargo.lock", "fuzz/Cargo.lock", "tests/rust/Cargo.lock"]:
        change(path, (rf'(^name = "hakmem(?:-cli)?"\nversion = )"{full}"', rf'\1"{new}"'))
    change("src/abi/hak_types.rs", *((rf"(pub const HAKMEM_VERSION_{part}: c_int =) \d+;", rf"\1 {number};")
                                    for part, number in zip(("MAJOR", "MINOR", "PATCH"), new.split("."))))
    change("docs/USING.md", (rf"libhakmem\.so\.{full}", f"libhakmem.so.{new}"), (rf"find_package\(hakmem {short}\b", f"find_package(hakmem {new_short}"),
           (rf"takes {short}\.x only", f"takes {new_short}.x only"), (rf": {short}\.x are compatible, [\d.]+ may",
            f": {new_short}.x are compatible, {new_short.split('.')[0]}.{int(new_short.split('.')[1]) + 1} may"),
           (rf"libhakmem0_{full}-1_", f"libhakmem0_{new}-1_"))
    change("examples/cmake/CMakeLists.txt", (rf"find_package\(hakmem {short} ", f"find_package(hakmem {new_short} "))
    change("docs/ARM64.md", (rf"libhakmem0_{full}-1_", f"libhakmem0_{new}-1_"))
    change("scripts/install/arch/PKGBUILD", (rf"^pkgver={full}$", f"pkgver={new}"))
    change("README.md", (rf"This is version {short};", f"This is version {new_short};"))
    change("CHANGELOG.md", (r"^## \[Unreleased\]\n", f"## [Unreleased]\n\n## [{new}] - {datetime.date.today()}\n"))
    print(f"{old} is {new} now. What a release consists of beside that: docs/RELEASING.md")

main()
