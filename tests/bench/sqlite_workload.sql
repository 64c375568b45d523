-- Fills, indexes, asks and changes a table of 300,000 rows.
create table entries(number integer primary key, name text, kind integer, price real, note text);
with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < 300000)
  insert into entries
  select i, 'entry number ' || (i * 7919 % 300000), i % 97, i * 0.25, 'note ' || i from numbers;
create index by_name on entries(name);
create index by_kind on entries(kind, price);
select count(*), sum(length(name)) from entries where kind = 5;
select kind, max(name), length(group_concat(note)) from entries group by kind order by 3 limit 5;
select count(*) from entries a join entries b on b.name = 'entry number ' || a.number
  where a.kind < 20;
select name, upper(note) from entries order by note desc limit 3;
update entries set note = replace(note, 'note', 'remark') where kind > 40;
delete from entries where kind = 7;
select count(distinct substr(name, 1, 15)) from entries;
