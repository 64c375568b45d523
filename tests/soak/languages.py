"""Language runtimes, whose collectors and compilers take memory in ways of their own: R, ghc,
OCaml, node, Java, Ruby and Guile."""

import os

from .traced import Server, Shown, at_exit, attached, both, expect, run

R = """\
set.seed(4)
rows <- {rows}
frame <- data.frame(group = rep(letters, length.out = rows), x = (1:rows * 7919) %% 10007,
                    text = sprintf("row %d", 1:rows))
frame$y <- 3 * frame$x + (1:rows %% 7) - 3
print(coef(lm(y ~ x, data = frame)))
print(head(aggregate(x ~ group, data = frame, FUN = sum), 5))
print(sum(nchar(gsub("[0-9]+", "<\\\\0>", frame$text))))
matrix <- matrix(sin(1:40000), 200)
print(round(sum(abs(solve(crossprod(matrix) + diag(200)))), 6))
lists <- lapply(1:rows, function(i) list(i, as.character(i), i / 2))
print(length(unserialize(serialize(lists, NULL))))
print(tail(sort(tapply(frame$x, frame$group, median)), 3))
invisible(gc())
print(system("echo from a shell", intern = TRUE))
"""

HASKELL = """\
module Main where
import qualified Data.Map.Strict as Map
import Control.Concurrent
import Control.Monad
import Data.List (sort, foldl')
words' :: Int -> Int -> [String]
words' count turn = [ "word" ++ show (i * 7919 * turn `mod` 10007) | i <- [0 .. count - 1] ]
tally :: [String] -> Map.Map String Int
tally = foldl' (\\\\sums word -> Map.insertWith (+) word 1 sums) Map.empty
main :: IO ()
main = do
  results <- forM [1 .. 8] $ \\\\turn -> do
    result <- newEmptyMVar
    _ <- forkOS $ putMVar result $! Map.foldlWithKey'
      (\\\\total word count -> (total * 31 + length word * count) `mod` 1000003) 7
      (tally (sort (words' {words} turn)))
    return result
  mapM_ (print <=< takeMVar) results
"""

OCAML = """\
module Words = Map.Make (String)
let words turn = List.init {words} (fun i -> "word" ^ string_of_int (i * 7919 * turn mod 10007))
let tally turn =
  List.fold_left
    (fun sums word -> Words.update word (fun old -> Some (1 + Option.value old ~default:0)) sums)
    Words.empty (List.sort compare (words turn))
let () =
  for turn = 1 to 20 do
    let sums = tally turn in
    let text = Marshal.to_string sums [] in
    let total = Words.fold (fun word count total -> (total * 31 + String.length word * count) mod 1000003) sums 7 in
    Gc.compact ();
    Printf.printf "%d %d %s\\n" turn total (Digest.to_hex (Digest.string text))
  done;
  let table = Hashtbl.create 16 in
  List.iter (fun word -> Hashtbl.replace table word (Bytes.make 300 'x')) (words 3);
  Printf.printf "%d\\n" (Hashtbl.length table)
"""

NODE = """\
const zlib = require('zlib'), crypto = require('crypto');
const {{ Worker, isMainThread, parentPort, workerData }} = require('worker_threads');
const words = turn => Array.from({{ length: {words} }}, (_, i) => 'word' + i * 7919 * turn % 10007);
function work(turn) {{
  const sums = new Map();
  for (const word of words(turn).sort()) sums.set(word, (sums.get(word) || 0) + 1);
  const packed = zlib.gzipSync(JSON.stringify([...sums]), {{ level: 9 }});
  return crypto.createHash('sha256').update(zlib.gunzipSync(packed)).digest('hex');
}}
if (!isMainThread) {{
  parentPort.postMessage(work(workerData));
}} else {{
  const started = [1, 2, 3, 4, 5, 6].map(turn => new Promise((done, failed) => {{
    const worker = new Worker(__filename, {{ workerData: turn }});
    worker.on('message', done);
    worker.on('error', failed);
  }}));
  Promise.all(started).then(said => {{
    said.forEach(text => console.log(text));
    console.log(require('child_process').execSync('echo from a shell').toString());
    console.log('done');
    process.stdin.resume();
  }});
}}
"""

JAVA = """\
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import java.util.zip.*;
public class Work {{
    static List<String> words(int turn) {{
        return IntStream.range(0, {words}).mapToObj(i -> "word" + (long) i * 7919 * turn % 10007)
            .collect(Collectors.toList());
    }}
    static long work(int turn) throws Exception {{
        Map<String, Integer> sums = new TreeMap<>();
        for (String word : words(turn)) sums.merge(word, 1, Integer::sum);
        byte[] text = sums.toString().getBytes("UTF-8"), packed = new byte[text.length + 1000];
        Deflater deflater = new Deflater(9);
        deflater.setInput(text);
        deflater.finish();
        int length = deflater.deflate(packed);
        deflater.end();
        Inflater inflater = new Inflater();
        inflater.setInput(packed, 0, length);
        byte[] back = new byte[text.length];
        inflater.inflate(back);
        inflater.end();
        CRC32 sum = new CRC32();
        sum.update(back);
        try {{
            String none = turn > 0 ? null : "";
            return none.length();
        }} catch (NullPointerException expected) {{
            return sum.getValue();
        }}
    }}
    static int depth(int level) {{ return 1 + depth(level + 1); }}
    public static void main(String[] none) throws Exception {{
        ExecutorService threads = Executors.newFixedThreadPool(6);
        List<Future<Long>> results = new ArrayList<>();
        for (int turn = 1; turn <= 60; turn++) {{
            int number = turn;
            results.add(threads.submit(() -> work(number)));
        }}
        for (Future<Long> result : results) System.out.println(result.get());
        threads.shutdown();
        try {{ depth(0); }} catch (StackOverflowError expected) {{ System.out.println("too deep"); }}
        try {{ long[] all = new long[Integer.MAX_VALUE - 8]; System.out.println(all.length); }}
        catch (OutOfMemoryError expected) {{ System.out.println("too large"); }}
        System.gc();
        Process shell = new ProcessBuilder("sh", "-c", "echo from a shell").start();
        System.out.print(new String(shell.getInputStream().readAllBytes()));
        System.out.println("done");
        System.in.read();
    }}
}}
"""

RUBY = """\
require 'json'
require 'zlib'
require 'digest/sha2'
words = ->(turn) {{ Array.new({words}) {{ |i| "word#{{i * 7919 * turn % 10007}}" }} }}
said = (1..8).map do |turn|
  Thread.new do
    sums = words[turn].sort.tally
    packed = Zlib::Deflate.deflate(JSON.generate(sums), 9)
    Digest::SHA256.hexdigest(JSON.generate(JSON.parse(Zlib::Inflate.inflate(packed))))
  end
end.map(&:value)
puts said
puts words[3].map {{ |word| word.gsub(/\\d+/) {{ |digits| digits.reverse }} }}.uniq.length
reader, writer = IO.pipe
child = fork {{ reader.close; writer.puts words[2].uniq.length; exit!(0) }}
writer.close
puts reader.read
Process.wait(child)
fibers = Array.new(1000) {{ |i| Fiber.new {{ Fiber.yield i; i * 2 }} }}
puts fibers.sum {{ |fiber| fiber.resume + fiber.resume }}
begin
  deep = ->(n) {{ 1 + deep[n + 1] }}
  deep[0]
rescue SystemStackError
  puts 'too deep'
end
GC.start
GC.compact
puts `echo from a shell`
"""

GUILE = """\
(use-modules (ice-9 threads) (ice-9 popen) (ice-9 rdelim) (srfi srfi-1) (ice-9 regex))
(define (words turn)
  (map (lambda (i) (string-append "word" (number->string (modulo (* i 7919 turn) 10007))))
       (iota {words})))
(define (tally turn)
  (let ((sums (make-hash-table)))
    (for-each (lambda (word) (hash-set! sums word (1+ (hash-ref sums word 0)))) (words turn))
    (fold (lambda (pair total)
            (modulo (+ (* total 31) (* (string-length (car pair)) (cdr pair))) 1000003))
          7
          (sort (hash-map->list cons sums) (lambda (a b) (string<? (car a) (car b)))))))
(for-each (lambda (total) (display total) (newline)) (n-par-map 4 tally (iota 8 1)))
(display (expt 7919 500)) (newline)
(display (length (delete-duplicates
  (map (lambda (word) (regexp-substitute #f (string-match "[0-9]+" word) 'pre "n" 'post)) (words 3)))))
(newline)
(gc)
(let ((port (open-input-pipe "echo from a shell")))
  (display (read-line port)) (newline)
  (close-pipe port))
(display "done") (newline)
(force-output)
(read-char)
"""


def write(directory, name, text, **values):
    """Makes a source file."""
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text.format(**values))


def until_asked(command, directory, traced, **extra):
    """What a program prints up to "done", after which it waits; and (blocks, bytes) of a
    traced one. It must end well once its input ends."""
    with Server(command, "(?m)^done$", directory, given=True, traced=traced, **extra) as program:
        look = attached(program.pid, directory) if traced else None
        program.stdin.close()
        expect(program.ended() == 0, command, "status", program.ended())
        return program.text, look


def waiting(command, directory, **extra):
    """What a program prints with the hooks, as without; and (blocks, bytes) that it holds."""
    plain, _ = until_asked(command, directory, False, **extra)
    said, look = until_asked(command, directory, True, **extra)
    expect(said == plain, command, "without the hooks", plain[-1000:], "with", said[-1000:])
    expect("from a shell\n" in said, said[-1000:])
    return look


def r(directory, scale):
    """Data frames, a linear model, matrices, serialization."""
    write(directory, "work.R", R, rows=2000 * scale)
    command = ["/usr/lib/R/bin/exec/R", "--vanilla", "--no-echo", "-f", "work.R"]
    variables = {"R_HOME": "/usr/lib/R", "LD_LIBRARY_PATH": "/usr/lib/R/lib"}
    said = both(command, directory, **variables)
    expect(b"from a shell" in said, said[-1000:])
    blocks, size = at_exit(command, directory, **variables)
    return Shown(
        "R, {} rows".format(2000 * scale), blocks, size, "what it says is as without the hooks"
    )


def ghc(directory, scale):
    """A compiler in Haskell, and what it compiles: threads and collections."""
    write(directory, "Main.hs", HASKELL.replace("\\\\", "\\"), words=2000 * scale)
    command = ["ghc", "-v0", "-O1", "-threaded", "-fforce-recomp", "-o", "work", "Main.hs"]
    made = os.path.join(directory, "work")

    def compiled():
        return run([made], False, directory)

    both(command, directory, result=compiled)
    said = both([made, "+RTS", "-N2"], directory)
    expect(said.count(b"\n") == 8, said)
    blocks, size = at_exit([made, "+RTS", "-N2"], directory)
    return Shown(
        "ghc -O1, and 8 threads of Haskell",
        blocks,
        size,
        "compiled with the hooks and without, it says the same",
    )


def ocaml(directory, scale):
    """The native compiler, what it compiles, and the same as byte code."""
    write(directory, "work.ml", OCAML, words=1000 * scale)
    made = os.path.join(directory, "work")

    def compiled():
        return run([made], False, directory)

    both(["ocamlopt", "-O3", "-o", "work", "work.ml"], directory, result=compiled)
    said = both([made], directory)
    expect(both(["ocaml", "work.ml"], directory) == said, "byte code says other things")
    blocks, size = at_exit([made], directory)
    return Shown(
        "ocamlopt, ocaml, and what they run",
        blocks,
        size,
        "compiled with the hooks and without, it says the same",
    )


def node(directory, scale):
    """Six worker threads, zlib, hashes."""
    write(directory, "work.js", NODE, words=5000 * scale)
    blocks, size = waiting(["node", "work.js"], directory)
    return Shown("node, 6 workers", blocks, size, "what it says is as without the hooks")


def java(directory, scale):
    """The compiler and six threads; null pointers, an overflow of the stack, memory that is short."""
    write(directory, "Work.java", JAVA, words=2000 * scale)
    both(["javac", "Work.java"], directory, result=lambda: os.path.exists(directory + "/Work.class"))
    blocks, size = waiting(["java", "-Xmx256m", "-cp", ".", "Work"], directory)
    return Shown("javac, java, 6 threads", blocks, size, "what it says is as without the hooks")


def ruby(directory, scale):
    """Threads, fibers, a fork, regular expressions, compaction."""
    write(directory, "work.rb", RUBY, words=2000 * scale)
    command = ["ruby", "work.rb"]
    said = both(command, directory)
    expect(b"from a shell" in said and b"too deep" in said, said[-1000:])
    blocks, size = at_exit(command, directory)
    return Shown("ruby", blocks, size, "what it says is as without the hooks")


def guile(directory, scale):
    """Threads that a collector stops by signals, big numbers, regular expressions."""
    write(directory, "work.scm", GUILE, words=1000 * scale)
    command = ["guile", "--no-auto-compile", "work.scm"]
    blocks, size = waiting(command, directory)
    return Shown("guile", blocks, size, "what it says is as without the hooks")
