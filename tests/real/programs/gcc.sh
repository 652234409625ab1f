# SQLite's amalgamation (out of the libsqlite3-sys crate) to an object file and a program.
packages="gcc libc6-dev"
slow=1
prepare() {
    [ ! -s sqlite/sqlite3.c ] || return 0
    mkdir -p fetch/src sqlite
    printf '[package]\nname="x"\nversion="0.0.0"\n[dependencies]\nlibsqlite3-sys="=0.30.1"\n[workspace]\n' >fetch/Cargo.toml
    : >fetch/src/lib.rs
    HOME=$REAL_HOME cargo fetch -q --manifest-path fetch/Cargo.toml
    cp "$CARGO_HOME"/registry/src/*/libsqlite3-sys-0.30.1/sqlite3/sqlite3.[ch] sqlite/
}
work() {
    gcc -O1 -pipe -g -fdebug-prefix-map="$PWD"=. -c "$CACHE/sqlite/sqlite3.c" -o s.o # the same in every directory
    sum <s.o
    cat >m.c <<'C'
#include <stdio.h>
#include "sqlite3.h"
static int row(void *p, int n, char **v, char **k) { while (n--) puts(*v++); return 0; }
int main(void) {
    sqlite3 *d; char *e = 0;
    sqlite3_open(":memory:", &d);
    sqlite3_exec(d, "create table t(a, b); with recursive c(x) as (select 1 union all select x+1 from c where x<50000)"
        " insert into t select x, hex(x*7) from c; create index i on t(b); select count(*), sum(length(b)), max(b) from t where b > '3'", row, 0, &e);
    puts(e ? e : "done");
    return sqlite3_close(d);
}
C
    gcc -O2 -flto=2 -I"$CACHE/sqlite" m.c s.o -o m -lpthread -ldl -lm
    ./m
    gcc -Q --help=optimizers | sum
}
