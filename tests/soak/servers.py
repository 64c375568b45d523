"""Servers under load, from clients on this machine."""

import glob
import http.client
import os
import random
import re
import socket
import subprocess
import threading

from .traced import PATIENCE, SAMPLE, Server, Shown, attached, environment, expect

NGINX = """\
worker_processes 2;
daemon off;
pid {directory}/nginx.pid;
error_log stderr notice;
{user}
thread_pool readers threads=4;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    aio threads=readers;
    gzip on;
    gzip_min_length 1;
    gzip_types *;
    server {{
        listen unix:{directory}/socket;
        root {directory}/pages;
        keepalive_requests 50;
        location /through/ {{ proxy_pass http://unix:{directory}/socket:/; }}
    }}
}}
"""


PHP_FPM = """\
[global]
error_log = /proc/self/fd/2
daemonize = no
[work]
{user}
listen = {directory}/php
pm = static
pm.max_children = 4
pm.max_requests = 0
"""

PHP_NGINX = """\
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log stderr notice;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen unix:{directory}/socket;
        location / {{
            fastcgi_pass unix:{directory}/php;
            fastcgi_param SCRIPT_FILENAME {directory}/work.php;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
        }}
    }}
}}
"""

PHP = """\
<?php
function words($turn) {{
    $words = [];
    for ($i = 0; $i < {words}; $i++) $words[] = 'word' . ($i * 7919 * $turn % 10007);
    return $words;
}}
$turn = (int) $_GET['turn'];
$sums = array_count_values(words($turn));
ksort($sums);
$packed = gzcompress(json_encode($sums), 9);
$back = json_decode(gzuncompress($packed), true);
$changed = preg_replace_callback('/\\d+/', fn($match) => strrev($match[0]), array_keys($back));
try {{
    intdiv($turn, 0);
}} catch (DivisionByZeroError $error) {{
    $changed[] = get_class($error);
}}
function each_word($words) {{ foreach ($words as $word) yield strtoupper($word); }}
echo hash('sha256', implode(',', iterator_to_array(each_word($changed)))), ' ', $turn, "\\n";
"""


def client(words, directory):
    """What a client prints that runs without the hooks."""
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment(False),
        cwd=directory,
        timeout=PATIENCE,
        check=False,
    )
    expect(done.returncode == 0, words, done.stdout[-2000:])
    return done.stdout


def in_threads(count, work):
    """Calls work(number) in so many threads; the first failure is raised."""
    failures = []

    def call(number):
        try:
            work(number)
        except Exception as failure:  # whatever it is, the run has failed
            failures.append(failure)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def redis(directory, scale):
    """redis-benchmark, then keys that are counted, saved by a fork, and read again."""
    path = os.path.join(directory, "redis.socket")
    command = ["redis-server", "--port", "0", "--unixsocket", path, "--dir", directory]
    command += ["--save", "", "--daemonize", "no", "--io-threads", "2"]
    keys, requests = 20000 * scale, 20000 * scale

    def cli(*words):
        return client(["redis-cli", "-s", path] + list(words), directory).strip()

    with Server(command, "[Rr]eady to accept connections", directory) as server:
        said = client(
            ["redis-benchmark", "-s", path, "-q", "-n", str(requests), "-r", "10000", "-P", "16"],
            directory,
        )
        tests = len(re.findall(r"requests per second", said))
        expect(tests >= 15, said)
        expect(cli("flushall") == "OK", "flushall")
        fill = 'for i = 1, {} do redis.call("set", "key:" .. i, "value " .. i) end'.format(keys)
        cli("eval", fill, "0")
        expect(cli("dbsize") == str(keys), "keys", cli("dbsize"))
        digest = cli("debug", "digest") if "ERR" not in cli("debug", "digest") else None
        expect(cli("save") == "OK", "save")
        expect("Background saving started" in cli("bgsave"), "bgsave")
        server.wait_for("Background saving terminated with success")
        expect("RDB looks OK" in client(["redis-check-rdb", "dump.rdb"], directory), "dump.rdb")
        for number in random.Random(4).sample(range(1, keys + 1), 100):
            expect(cli("get", "key:%d" % number) == "value %d" % number, "key", number)
        expect(digest is None or cli("debug", "digest") == digest, "digest")
        used = int(re.search(r"used_memory:(\d+)", cli("info", "memory")).group(1))
        blocks, size = attached(server.pid, directory)
        # It counts the allocator's sizes, the hooks what was asked for.
        off = 0.3 if SAMPLE else 0  # several times the error of a sample of 16K
        expect((0.6 - off) * used < size < (1.05 + off) * used, "traced", size, "of", used)
        expect(server.end() == 0, "status")
    return Shown(
        "redis-server, redis-benchmark {} x {}".format(tests, requests),
        blocks,
        size,
        "{} keys right, saved twice, {}% of its used_memory traced".format(
            keys, 100 * size // used
        ),
    )


def memcached(directory, scale):
    """Eight threads, and as many clients that read what they have written."""
    path = os.path.join(directory, "memcached.socket")
    rounds = 800 * scale
    command = ["memcached", "-s", path, "-t", "8", "-m", "256", "-vv"]
    if os.geteuid() == 0:
        command += ["-u", "root"]

    def talk(number):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            file = connection.makefile("rwb")
            for turn in range(rounds):
                key = "client{}turn{}".format(number, turn).encode()
                value = key * (1 + turn % 90)
                file.write(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value))
                file.write(b"get %s\r\n" % key)
                file.flush()
                said = [file.readline() for _ in range(4)]
                header = b"VALUE %s 0 %d\r\n" % (key, len(value))
                expect(said == [b"STORED\r\n", header, value + b"\r\n", b"END\r\n"], said)

    # A socket at a path is not announced, but the last thread to get ready is.
    with Server(command, r"<\d+ server listening", directory) as server:
        in_threads(8, talk)
        blocks, size = attached(server.pid, directory)
        server.end()
    return Shown(
        "memcached -t 8, 8 clients",
        blocks,
        size,
        "{} values written and read back".format(8 * rounds),
    )


def get(path, where):
    """The status and the text that a server at a socket answers with."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(where)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def php_fpm(directory, scale):
    """Four processes that answer scripts for nginx, each block of theirs from malloc."""
    os.chmod(directory, 0o755)
    root = os.geteuid() == 0
    users = {"fpm": "user = root\ngroup = root" if root else "", "nginx": "user root;" if root else ""}
    for name, text, user in (
        ("fpm.conf", PHP_FPM, users["fpm"]),
        ("nginx.conf", PHP_NGINX, users["nginx"]),
        ("work.php", PHP, ""),
    ):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text.format(directory=directory, user=user, words=200 * scale))
    program = sorted(glob.glob("/usr/sbin/php-fpm*"))[-1]
    command = [program, "-F", "-R", "-y", os.path.join(directory, "fpm.conf")]
    command += ["-d", "opcache.jit_buffer_size=16M", "-d", "opcache.jit=tracing"]
    front = ["nginx", "-c", os.path.join(directory, "nginx.conf"), "-e", "stderr", "-p", directory]
    where = os.path.join(directory, "socket")
    said = []
    for traced in (False, True):
        answers = {}

        def talk(number, answers=answers):
            for turn in range(number, 40 * scale, 8):
                answers[turn] = get("/?turn={}".format(turn), where)
                expect(answers[turn][0] == 200, answers[turn])

        with Server(
            command, "ready to handle connections", directory, traced=traced, USE_ZEND_ALLOC="0"
        ) as server, Server(front, "start worker process", directory, traced=False):
            in_threads(8, talk)
            said.append(answers)
            if traced:
                workers = client(["ps", "-o", "pid=", "--ppid", str(server.pid)], directory).split()
                blocks, size = attached(int(workers[0]), directory)
            expect(server.end() == 0, "status")
        # It leaves its socket behind.
        for name in ("php", "socket"):
            if os.path.exists(os.path.join(directory, name)):
                os.remove(os.path.join(directory, name))
    expect(said[0] == said[1], "the answers differ")
    expect(len({text for _, text in said[1].values()}) == 40 * scale, "answers are alike")
    return Shown(
        "php-fpm, 4 processes, 8 clients",
        blocks,
        size,
        "{} answers as without the hooks".format(40 * scale),
    )


def nginx(directory, scale):
    """Files through a thread pool, gzip and a proxy, compared byte by byte."""
    pages = os.path.join(directory, "pages")
    os.mkdir(pages)
    os.chmod(directory, 0o755)
    contents = {}
    for number in range(20):
        contents["page%d" % number] = random.Random(number).randbytes(1 + number * 17000)
        with open(os.path.join(pages, "page%d" % number), "wb") as file:
            file.write(contents["page%d" % number])
    config = os.path.join(directory, "nginx.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(
            NGINX.format(directory=directory, user="user root;" if os.geteuid() == 0 else "")
        )
    requests = 250 * scale

    def talk(number):
        for turn in range(requests):
            name = "page%d" % ((number + turn) % 20)
            where = ("/through/" if turn % 2 else "/") + name
            status, text = get(where, os.path.join(directory, "socket"))
            expect(status == 200 and text == contents[name], name, status)

    command = ["nginx", "-c", config, "-e", "stderr", "-p", directory]
    both = r"start worker process (\d+)(.|\n)*start worker process"
    with Server(command, both, directory) as server:
        in_threads(8, talk)
        worker = int(server.wait_for(r"start worker process (\d+)").group(1))
        blocks, size = attached(worker, directory)
        expect(server.end() == 0, "status")
    return Shown(
        "nginx, 2 workers, 8 clients", blocks, size, "{} responses right".format(8 * requests)
    )
