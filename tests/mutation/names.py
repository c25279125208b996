"""Names of changes that stay the same when lines move."""

import collections


def without_line(name):
    """`FILE:LINE:COLUMN: CHANGE` as `FILE: CHANGE`."""
    place, change = name.split(": ", 1)
    return f"{place.split(':')[0]}: {change}"


def names_of(changes):
    """Each change's name, by its number: `FILE: CHANGE`, and where a file has several of that name, ` (K of N)` behind it."""
    together = collections.defaultdict(list)
    for number, listed in changes.items():
        together[without_line(listed["name"])].append(number)
    names = {}
    for name, numbers in together.items():
        numbers.sort(key=lambda number: (changes[number]["span"]["start"]["line"], changes[number]["span"]["start"]["column"], number))
        for at, number in enumerate(numbers, 1):
            names[number] = name if len(numbers) == 1 else f"{name} ({at} of {len(numbers)})"
    return names


def file_of(name):
    return name.split(": ")[0]
