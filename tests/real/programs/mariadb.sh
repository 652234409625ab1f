# A server of its own: InnoDB and Aria tables, joins, sorts, JSON, prepared statements, several connections at once, checksums.
packages="mariadb-server-core mariadb-client-core"
work() {
    local d=$PWD/d s=$PWD/s pid i
    mkdir d tmp
    mariadb-install-db --no-defaults --user=root --datadir="$d" --auth-root-authentication-method=normal --skip-test-db >install.log 2>&1
    mariadbd --no-defaults --user=root --datadir="$d" --socket="$s" --tmpdir="$PWD/tmp" --skip-networking --pid-file="$PWD/pid" \
        --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 --log-error="$PWD/log.err" &
    pid=$!
    q() { mariadb --no-defaults -S "$s" -uroot -N -B "$@"; }
    wait_for q -e 'select 1'
    preloaded $pid
    q <<'S'
create database w; use w;
create table t (i int primary key, k int, s varchar(64), key (k)) engine = innodb;
insert into t select seq, seq * 7919 % 10007, md5(seq) from seq_1_to_60000;
select count(*), sum(k), max(s) from t where s like '%ab%';
select sum(c) from (select k, count(*) c from t group by k having count(*) > 5) x;
select count(*) from t a join t b on a.k = b.k and a.i < b.i where a.s > b.s;
create table a engine = aria as select * from t order by s; alter table a add fulltext (s);
select md5(group_concat(s order by s)) from a where i % 50 = 0;
select md5(json_arrayagg(json_object('i', i, 's', s) order by i)) from t where i % 20 = 0;
select sum(length(regexp_replace(s, '[a-f]+', 'x'))) from t;
update t set s = upper(s) where k % 5 = 0; delete from t where k % 7 = 0; optimize table t;
prepare p from 'select count(*) from t where k < ?'; set @n = 500; execute p using @n;
with recursive r as (select 1 n union all select n + 1 from r where n < 900) select sum(n) from r;
S
    for i in 1 2 3 4; do q w -e "create table c$i engine = innodb as select * from t where k % 4 = $i - 1; select count(*), md5(sum(crc32(s))) from c$i" >out$i & done
    wait $(jobs -p | grep -vx $pid)
    cat out[1-4]
    q -e 'checksum table w.t, w.a, w.c1, w.c2, w.c3, w.c4'
    q -e 'shutdown'
    wait $pid
    grep -ciE 'got signal|assertion' log.err || true
}
