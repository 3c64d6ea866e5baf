"""Reads Chakra execution traces, as little of them as the tests need.

The field numbers are those of schema/protobuf/et_def.proto in github.com/mlcommons/chakra.
"""

import struct
from dataclasses import dataclass, field

COMP, SEND, RECEIVE, COLLECTIVE = 4, 5, 6, 7
DOUBLE, NUMBERS, STRING = 3, (7, 9, 27), 29


@dataclass
class Node:
    id: int
    name: str
    type: int
    control: list
    data: list
    micros: int
    attributes: dict = field(default_factory=dict)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """{field number: [values]}; a value is a number or bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack("<d", data[at : at + 8])[0], at + 8
        else:
            assert key & 7 == 2
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
            assert len(value) == length
        found.setdefault(key >> 3, []).append(value)
    return found


def packed(values):
    numbers = []
    for data in values:
        at = 0
        while at < len(data):
            value, at = varint(data, at)
            numbers.append(value)
    return numbers


def attribute(data):
    parts = fields(data)
    name = parts.pop(1)[0].decode()
    ((number, (value,)),) = parts.items()
    assert number in (DOUBLE, *NUMBERS, STRING)
    return name, value.decode() if number == STRING else value


def node(data):
    parts = fields(data)
    assert set(parts) <= {1, 2, 3, 4, 5, 7, 10}
    return Node(
        parts[1][0],
        parts[2][0].decode(),
        parts[3][0],
        packed(parts.get(4, [])),
        packed(parts.get(5, [])),
        parts.get(7, [0])[0],
        dict(attribute(a) for a in parts[10]),
    )


def read_trace(path):
    """(version, [nodes])"""
    data, at, messages = path.read_bytes(), 0, []
    while at < len(data):
        length, at = varint(data, at)
        messages.append(data[at : at + length])
        at += length
    assert at == len(data)
    return fields(messages[0])[1][0].decode(), [node(message) for message in messages[1:]]
