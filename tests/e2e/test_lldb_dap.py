"""LLDB's server for editors (lldb-dap), as their debug consoles use it."""

import json
import subprocess
import unittest

from . import debuggers
from .harness import DEADLINE, ROOT, Case, environment, program

SCRIPT = ROOT + "/lldb/allocsnap_lldb.py"

#: The first version whose console takes commands without a mark before them.
FIRST = 18


class Client:
    """Speaks the Debug Adapter Protocol to a server."""

    def __init__(self, case, binary):
        self._server = subprocess.Popen(
            ["timeout", str(DEADLINE), binary],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=case.directory,
            env=environment(case.home),
        )
        case.addCleanup(self._server.stdout.close)
        case.addCleanup(self._server.wait)
        case.addCleanup(self._server.kill)
        case.addCleanup(self._server.stdin.close)
        self._number = 0
        self.output = ""

    def send(self, command, **arguments):
        self._number += 1
        request = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode("utf-8")
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()
        return self._number

    def _message(self):
        length = None
        for line in iter(self._server.stdout.readline, b"\r\n"):
            if not line:
                raise AssertionError("lldb-dap ended: " + self.output)
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self._server.stdout.read(length))

    def until(self, wanted):
        """The first message that is wanted; keeps what is printed meanwhile."""
        while True:
            message = self._message()
            if message.get("event") == "output":
                self.output += message["body"]["output"]
            if wanted(message):
                return message

    def event(self, name):
        return self.until(lambda message: message.get("event") == name)

    def ask(self, command, **arguments):
        number = self.send(command, **arguments)
        return self.until(
            lambda message: message["type"] == "response" and message["request_seq"] == number
        )


class Console(Case):
    def stopped(self, binary):
        """A Client whose program, which is traced, has come to stop_here, and its frame."""
        client = Client(self, binary)
        client.ask("initialize", adapterID="test", linesStartAt1=True)
        client.send(
            "launch",
            program=program("holds"),
            initCommands=["command script import " + SCRIPT],
            preRunCommands=["snapshot start"],
        )
        client.event("initialized")
        client.ask("setFunctionBreakpoints", breakpoints=[{"name": "stop_here"}])
        client.ask("configurationDone")
        thread = client.event("stopped")["body"]["threadId"]
        frames = client.ask("stackTrace", threadId=thread, levels=1)["body"]["stackFrames"]
        return client, frames[0]["id"]

    def test_commands(self):
        """In the console's default mode, without and with the mark for commands."""
        tested = 0
        for debugger in debuggers.lldbs():
            binary = debuggers.dap_of_lldb(debugger)
            if int(debugger.name.partition("-")[2]) < FIRST:
                continue
            with self.subTest(debugger.name):
                self.assertIsNotNone(binary)
                client, frame = self.stopped(binary)
                for mark in ("", "`"):
                    for context in ({"frameId": frame}, {}):
                        answer = client.ask(
                            "evaluate", expression=mark + "snapshot stats", context="repl", **context
                        )
                        self.assertTrue(answer["success"], answer)
                        self.assertIn("Total: size=10128 B, count=14\n", answer["body"]["result"])
                answer = client.ask(
                    "evaluate", expression="kept_count", context="repl", frameId=frame
                )
                self.assertIn("14", answer["body"]["result"])
                client.ask("disconnect", terminateDebuggee=True)
                tested += 1
        self.assertGreater(tested, 0)


if __name__ == "__main__":
    unittest.main()
