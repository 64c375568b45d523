"""Databases: MariaDB, one process of many threads, and PostgreSQL, of many processes."""

import glob
import os
import subprocess

from .servers import client, in_threads
from .traced import PATIENCE, Server, Shown, attached, environment, expect

MARIADB = """\
create table entries (number int primary key, text varchar(80), other int, filler blob, key (other))
  engine={engine};
insert into entries select seq, concat('entry number ', seq), seq * 7919 % 10007,
  repeat('x', seq % 200) from seq_1_to_{rows};
update entries set text = concat(text, ' changed') where number % 3 = 0;
delete from entries where number % 5 = 0;
alter table entries add fulltext key (text);
select count(*), sum(length(text)), sum(length(filler)), sum(other) from entries;
select other, count(*), group_concat(number order by number) from entries group by other
  order by count(*) desc, other limit 20;
select json_arrayagg(json_object('n', number, 't', text)) from entries where number < 200;
select number from entries where match(text) against ('+changed' in boolean mode)
  order by number limit 20;
select text, regexp_replace(text, '[0-9]+', '<\\\\0>') from entries order by text desc limit 10;
select a.number, b.number from entries a join entries b on a.other = b.other and a.number < b.number
  order by a.number, b.number limit 20;
checksum table entries extended;
"""

POSTGRESQL = """\
create table entries as select i as number, 'entry number ' || i as text, i::bigint * 7919 % 10007
  as other, repeat('x', i % 200) as filler from generate_series(1, {rows}) as i;
create index on entries using gin (to_tsvector('simple', text));
create index on entries (other, number);
update entries set text = text || ' changed' where number % 3 = 0;
delete from entries where number % 5 = 0;
select count(*), sum(length(text)), sum(length(filler)), sum(other) from entries;
select other, count(*), array_agg(number order by number) from entries group by other
  order by 2 desc, 1 limit 20;
select md5(jsonb_agg(jsonb_build_object('n', number, 't', text) order by number)::text) from entries;
select count(*) from entries where to_tsvector('simple', text) @@ to_tsquery('simple', 'changed');
select md5(string_agg(regexp_replace(text, '[0-9]+', '<\\\\&>'), ',' order by number)) from entries;
do $$ begin for i in 1..2000 loop begin perform 1 / (i % 2); exception when others then null; end;
  end loop; end $$;
vacuum full analyze entries;
"""


def mariadb(directory, scale):
    """Tables of three engines, then clients beside one another, in two servers."""
    rows = 3000 * scale
    said = []
    for traced in (False, True):
        data = os.path.join(directory, "traced" if traced else "plain")
        path = data + ".socket"
        common = ["--no-defaults", "--datadir=" + data] + ["--user=root"] * (os.geteuid() == 0)
        client(
            ["mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db"]
            + common,
            directory,
        )
        command = ["mariadbd", "--skip-networking", "--socket=" + path, "--thread-stack=1M"]

        def sql(text, database="work", path=path):
            words = ["mariadb", "--no-defaults", "-uroot", "-S", path, "-N"]
            return client(words + ["-e", text] + [database] * (database != ""), directory)

        with Server(command[:1] + common + command[1:], "ready for connections", directory,
                    traced=traced) as server:
            answers = []
            for engine in ("InnoDB", "Aria", "MyISAM"):
                sql("create database {}".format(engine), "")
                answers.append(sql(MARIADB.format(engine=engine, rows=rows), engine))
            sql("create database work; create table work.sums (name int primary key, sum bigint)", "")

            def talk(number):
                for turn in range(10):
                    sql(
                        "insert into sums values ({0}, {1}) on duplicate key update sum = sum + {1};"
                        " select sum(length(text)) from InnoDB.entries where other % 8 = {0}".format(
                            number, turn
                        )
                    )

            in_threads(8, talk)
            answers.append(sql("select * from sums order by name"))
            if traced:
                blocks, size = attached(server.pid, directory)
            expect(server.end() == 0, "status")
        said.append(answers)
    expect(said[0] == said[1], "MariaDB says other things", str(said)[-2000:])
    expect(said[1][3] == "".join("{}\t45\n".format(number) for number in range(8)), said[1][3])
    return Shown(
        "mariadbd, 3 engines, {} rows, 8 clients".format(rows),
        blocks,
        size,
        "answers and checksums as without the hooks",
    )


def as_user(directory):
    """The words before a command that PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return []
    os.chmod(directory, 0o755)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def postgresql(directory, scale):
    """SQL and pgbench, whose sums must agree, in two servers; a backend is looked at."""
    rows = 3000 * scale
    said = []
    (programs,) = glob.glob("/usr/lib/postgresql/*/bin")[-1:]
    user = as_user(directory)
    for traced in (False, True):
        data = os.path.join(directory, "traced" if traced else "plain")
        os.mkdir(data)
        if user:
            subprocess.run(["chown", "postgres:postgres", data], check=True)
        base = os.path.join(data, "base")
        client(user + [programs + "/initdb", "-D", base, "-U", "work", "-A", "trust"], directory)
        command = user + [programs + "/postgres", "-D", base, "-k", data, "-c", "listen_addresses="]

        def run(program, *words, data=data):
            return client(
                [programs + "/" + program, "-h", data, "-U", "work"] + list(words), directory
            )

        with Server(command, "ready to accept connections", directory, traced=traced) as server:
            answers = [run("psql", "-X", "-d", "postgres", "-c", "set jit = off", *[
                word for part in POSTGRESQL.format(rows=rows).split(";\n") if part.strip()
                for word in ("-c", part)
            ])]
            run("pgbench", "-i", "-q", "postgres")
            done = run("pgbench", "-c", "8", "-j", "2", "-t", str(50 * scale), "postgres")
            expect("number of failed transactions: 0" in done, done)
            sums = "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from" \
                " pgbench_branches), (select sum(tbalance) from pgbench_tellers), (select sum(delta)" \
                " from pgbench_history), (select count(*) from pgbench_history)"
            accounts, branches, tellers, history, count = (
                run("psql", "-X", "-A", "-t", "-d", "postgres", "-c", sums).strip().split("|")
            )
            expect(accounts == branches == tellers == history, accounts, branches, tellers, history)
            expect(count == str(8 * 50 * scale), count)
            if traced:
                blocks, size = looked_at(programs, data, directory)
            expect(server.end() == 0, "status")
        said.append(answers)
    expect(said[0] == said[1], "PostgreSQL says other things", str(said)[-2000:])
    return Shown(
        "postgres, {} rows, pgbench -c 8".format(rows),
        blocks,
        size,
        "answers as without the hooks, pgbench's sums agree",
    )


def looked_at(programs, data, directory):
    """(blocks, bytes) of the process that serves a session."""
    words = [programs + "/psql", "-X", "-A", "-t", "-h", data, "-U", "work", "-d", "postgres"]
    session = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(False),
        cwd=directory,
    )
    try:
        session.stdin.write("select count(*) from entries;\nselect pg_backend_pid();\n")
        session.stdin.flush()
        session.stdout.readline()
        return attached(int(session.stdout.readline()), directory)
    finally:
        session.stdin.close()
        session.wait(PATIENCE)
        session.stdout.close()
