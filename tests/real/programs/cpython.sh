# CPython's own tests, with every object from malloc (no pymalloc).
packages="python3.11 libpython3.11-testsuite"
slow=1
limit=240
work() {
    local mods="test_dict test_list test_set test_json test_re test_gc test_weakref test_pickle
        test_ctypes test_threading test_thread test_queue test_subprocess test_fork1
        test_zlib test_bytes test_mmap test_array test_memoryio test_struct"
    PYTHONMALLOC=malloc python3.11 -m test -j2 --junit-xml r.xml $mods >&2 || echo "regrtest: $?"
    # multiprocessing over fork: a part (the whole takes minutes)
    PYTHONMALLOC=malloc python3.11 -m test -m '*TestPool*' -m '*TestQueue*' -m '*TestLock*' -m '*TestValue*' \
        -m '*TestArray*' --junit-xml m.xml test_multiprocessing_fork >&2 || echo "regrtest: $?"
    python3.11 -I - <<'P' | sort
import xml.etree.ElementTree as E
for f in "r.xml", "m.xml":
    for c in E.parse(f).iter("testcase"):
        bad = [k.tag for k in c if k.tag in ("failure", "error", "skipped")]
        print(c.get("name"), c.get("result"), *bad)
P
}
