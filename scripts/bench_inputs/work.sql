-- In memory, so that the disk has no say. {rows} is filled in.
pragma cache_size=-4000;
create table t(id integer primary key, k int, s text, b blob);
begin;
with recursive c(x) as (select 1 union all select x+1 from c where x<{rows})
  insert into t select x, (x*7919)%10007, printf('row-%d-%s', x, hex(x*x)), zeroblob(x%50) from c;
commit;
create index tk on t(k); create index ts on t(s, k);
create table u as select k, count(*) n, group_concat(id) g from t group by k;
create unique index uk on u(k);
select count(*), sum(n), sum(length(g)) from u;
select sum(a.id*b.n%1000) from t a join u b on a.k=b.k;
begin; update t set s=upper(s)||k where k%3=0; delete from t where k%11=0; commit;
select sum(r) from (select row_number() over (partition by k order by s desc) r from t);
select sum(json_extract(j,'$.a[1]')) from (select json_object('a',json_array(id,k),'s',s) j from t);
select count(*), sum(length(s)), max(s), min(s) from t;
