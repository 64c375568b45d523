"""Records that the program has overwritten: one costs its own block, and is said."""

import os

from .hooked import Case, answer_of

JSON = "snapshot traces --json"

#: Overwrites a field of the first live record, and prints the record's address and the number
#: of its part of the table.
SCRIPT = """python
def spoil(change):
    root = gdb.parse_and_eval("allocsnap_root")
    kind = gdb.lookup_type("struct asnap_table_record").pointer()
    words = gdb.lookup_type("unsigned long").pointer()
    for number in range(64):
        shard = root["shards"][number]
        if shard["count"] == 0:
            continue
        chunk = gdb.Value(int(shard["chunks"])).cast(words)[0]
        for place in range(int(shard["used"])):
            record = chunk.cast(kind) + place
            if record["key"] != 0:
                field, value = change
                address = int(record[field].address)
                gdb.selected_inferior().write_memory(address, value)
                print(hex(int(record)), number)
                return
"""


class Damage(Case):
    def spoiled(self, field, value):
        """What is read before and after one record's field has been overwritten, and where
        that record is."""
        script = os.path.join(self.directory, "spoil.gdb")
        with open(script, "w", encoding="ascii") as file:
            file.write(SCRIPT + "end\n")
        change = "python spoil(({!r}, {!r}))".format(field, value)
        results = self.at_stop(
            ["source " + script, JSON, change, JSON, "snapshot stats"], "plain"
        )
        before, after = [answer_of(text) for text in results.of(JSON)]
        place, number = results[change].split()
        self.assertEqual(before["notes"], [])
        self.assertEqual(
            results["snapshot stats"].split("\n")[0], "warning: " + after["notes"][0]
        )
        return before, after, place, int(number)

    def test_a_record_that_cannot_be_costs_its_own_block(self):
        for field, value in (
            ("stack", b"\xff\xff\xff\x7f"),
            ("key", b"\x01" * 8),
            ("extent", b"\xff" * 8),
        ):
            with self.subTest(field):
                before, after, place, _ = self.spoiled(field, value)
                self.assertEqual(
                    after["notes"],
                    [
                        "1 record was overwritten by the program (it is at {}): its block is"
                        " missing here".format(place)
                    ],
                )
                self.assertEqual(after["total"]["count"], before["total"]["count"] - 1)
                for trace in after["traces"]:
                    self.assertIn(trace, before["traces"])

    def test_a_size_that_is_another(self):
        before, after, _, number = self.spoiled("extent", b"\x01\x00\x00\x00\x00\x00")
        self.assertEqual(
            after["notes"],
            [
                "1 of 64 parts of the table does not hold what it says (it is number {}): the"
                " program has overwritten records there, and numbers here may be wrong".format(number)
            ],
        )
        self.assertEqual(after["total"]["count"], before["total"]["count"])
