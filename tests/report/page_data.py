"""The data in a report's page, read without a browser."""

import base64
import struct
import zlib

_BEFORE = '<script type="application/octet-stream" id="allocsnap-data">\n'


class PageData:
    """The sections of a page (docs/report.md), {tag: [number]}."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.page, _, rest = file.read().partition(_BEFORE)
        text, _, after = rest.partition("</script>")
        self.page += after  # all but the data
        lines = text.splitlines()
        data = zlib.decompress(base64.b64decode("".join(lines), validate=True))
        assert data[:16] == b"ASNAPREP" + struct.pack("<II", 1, 0)
        self.sections = {}
        at = 16
        while at < len(data):
            tag, width, count = struct.unpack_from("<4sIQ", data, at)
            self.sections[tag.decode("ascii")] = struct.unpack_from(
                "<{}{}".format(count, {1: "B", 2: "H", 4: "I"}[width]), data, at + 16
            )
            at += 16 + -(-count * width // 8) * 8

    def texts(self, lengths="strl", text="strb"):
        """The strings of two sections."""
        whole = bytes(self.sections[text])
        found = []
        for length in self.sections[lengths]:
            found.append(whole[:length].decode("utf-8"))
            whole = whole[length:]
        assert not whole
        return found

    def strings(self, tag, width, column):
        """The strings of one column of a section."""
        texts = self.texts()
        return [texts[number] for number in self.sections[tag][column::width]]
