# 10^5 rows, indexes, joins, transactions, a window function, JSON, VACUUM.
packages="sqlite3"
work() {
    cat >w.sql <<'S'
pragma journal_mode=wal; pragma cache_size=-4000;
create table t(id integer primary key, k int, s text, b blob);
begin;
with recursive c(x) as (select 1 union all select x+1 from c where x<100000)
  insert into t select x, (x*7919)%10007, printf('row-%d-%s', x, hex(x*x)), zeroblob(x%50) from c;
commit;
create index tk on t(k); create index ts on t(s, k);
create table u as select k, count(*) n, group_concat(id) g from t group by k;
create unique index uk on u(k);
select count(*), sum(n), sum(length(g)) from u;
select sum(a.id*b.n%1000) from t a join u b on a.k=b.k where b.n>9;
select count(*), sum(length(a.s)) from t a, t b where a.k=b.k and a.id<b.id and b.s like '%9A%';
begin; update t set s=upper(s)||k where k%3=0; delete from t where k%11=0; savepoint p; delete from t; rollback to p; commit;
select count(*), sum(length(s)), max(s), min(s) from t;
select sum(r) from (select row_number() over (partition by k order by s desc) r from t);
select sum(json_extract(j,'$.a[1]')) from (select json_object('a',json_array(id,k),'s',s) j from t);
create virtual table f using fts5(s); insert into f select replace(s,'-',' ') from t limit 20000; select count(*) from f where f match 'row AND 3*';
vacuum; pragma integrity_check; select count(*) from t where s glob 'ROW*7';
S
    sqlite3 d.db <w.sql
    sqlite3 d.db .dump | sum
    printf '.mode json\nselect * from u order by k limit 2000;\n.mode box\nselect k,n from u order by k limit 500;\n' | sqlite3 d.db | sum
    sqlite3 d.db '.backup e.db' && sqlite3 e.db 'pragma quick_check; select total(k) from t'
}
