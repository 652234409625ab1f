# initdb, pgbench, parallel queries, vacuum; as user postgres.
packages="postgresql-15 postgresql-client-15 util-linux"
slow=1
work() {
    local b=/usr/lib/postgresql/15/bin d=$PWD/d
    mkdir d s && chown postgres d s
    as() { runuser -u postgres -- "$@"; }
    as $b/initdb -D d -A trust -U postgres --no-sync --locale=C.UTF-8 -E UTF8 >/dev/null
    cat >>d/postgresql.conf <<C
listen_addresses=''
unix_socket_directories='$PWD/s'
fsync=off
max_parallel_workers_per_gather=2
parallel_setup_cost=0
parallel_tuple_cost=0
min_parallel_table_scan_size=0
work_mem='2MB'
C
    as $b/pg_ctl -D d -s -w -l d/log start
    preloaded "$(head -1 d/postmaster.pid)"
    export PGHOST=$PWD/s PGUSER=postgres PGDATABASE=postgres
    q() { as $b/psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
    as $b/pgbench -i -s 2 -q >/dev/null 2>&1
    as $b/pgbench -c 4 -j 2 -t 400 2>&1 | grep -E 'actually processed|failed'
    as $b/pgbench -n -c 4 -j 2 -t 800 -S -M prepared 2>&1 | grep -E 'actually processed|failed'
    q <<'S'
select count(*) from pgbench_accounts; select count(*) from pgbench_history;
select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),
       (select sum(bbalance) from pgbench_branches) = (select sum(tbalance) from pgbench_tellers);
create table t as select i, i*7919%10007 k, md5(i::text) s from generate_series(1, 150000) i;
create index on t(k); create index on t using gin (string_to_array(substr(s, 1, 8), '3')); analyze t;
select count(*), sum(k), max(s) from t where s like '%ab%';
select md5(string_agg(s, ',' order by s)) from t;
select sum(c) from (select k, count(*) c from t group by k having count(*) > 14) x;
select count(*) from t a join t b on a.k = b.k and a.i < b.i where a.s > b.s;
select md5(json_agg(t order by i)::text) from t where i % 10 = 0;
do $$ declare r record; n bigint := 0; begin for r in select * from t loop n := n + length(regexp_replace(r.s, '[a-f]+', 'x', 'g')); end loop; raise notice '%', n; end $$;
update t set s = upper(s) where k % 5 = 0; delete from t where k % 7 = 0; vacuum full analyze t;
select count(*), md5(string_agg(s, '' order by i)) from t;
S
    as $b/pg_dump -t t | grep -vE '^(--|\\(un)?restrict)' | sum
    as $b/pg_ctl -D d -s -w -m fast stop
    cat d/log >&2
    grep -cE 'PANIC|terminated by signal' d/log || true
}
