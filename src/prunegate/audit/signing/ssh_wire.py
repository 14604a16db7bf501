"""SSH's wire encoding (RFC 4251, section 5): numbers and strings with their length before them.

Strict: nothing may be left over, and a number has one spelling.
"""

from __future__ import annotations


class Reader:
    """Reads one value after the other; every mistake is a ValueError."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size > len(self._rest):
            raise ValueError("it ends too early")
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def number(self) -> int:
        """A uint32."""
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        """A string of bytes."""
        return self.take(self.number())

    def text(self) -> str:
        """A string of printable ASCII."""
        found = self.string().decode("ascii")
        if not found or not found.isprintable():
            raise ValueError("a name in it is empty or does not print")
        return found

    def mpint(self) -> int:
        """A number that is not negative."""
        content = self.string()
        found = int.from_bytes(content, signed=True)
        if found < 0 or mpint(found) != string(content):
            raise ValueError("a number in it is not in its one spelling")
        return found

    def end(self) -> None:
        """That nothing is left."""
        if self._rest:
            raise ValueError("something follows its end")


def string(content: bytes) -> bytes:
    """Bytes with their length before them."""
    return len(content).to_bytes(4) + content


def mpint(number: int) -> bytes:
    """A number that is not negative, in as few bytes as a sign bit allows."""
    return string(number.to_bytes(number.bit_length() // 8 + 1) if number else b"")
