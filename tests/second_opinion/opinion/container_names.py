"""The names by which containers find others (docs/compose-places.md): which are those of containers that run, and which a variable may take."""

import re

from . import interpolation


def containers(document):
    """Each container: its section, its name, and what it is."""
    for section in ("services", "jobs"):
        for name, each in (document.get(section) or {}).items():
            if isinstance(each, dict):
                yield section, str(name), each


def fixed(text, judge):
    """A name that nothing outside sets, as Docker reads it; None for any other."""
    text, outside = judge.fill(str(text))
    return None if outside else text.strip().lower()


def project(document, judge):
    """The project of Docker Compose, where nothing outside the document sets it."""
    if judge.nerdctl or judge.settable("COMPOSE_PROJECT_NAME") or judge.settable("COMPOSE_COMPATIBILITY"):
        return None
    return "dstack" if "name" not in document else fixed(document["name"], judge) if isinstance(document["name"], str) else None


def own_names(section, name, container, keys=("container_name", "hostname")):
    """The names that a container writes down for itself."""
    names = [container[key] for key in keys if isinstance(container.get(key), str)]
    networks = container.get("networks")
    for settings in networks.values() if isinstance(networks, dict) else []:
        aliases = settings.get("aliases") if isinstance(settings, dict) else None
        names += [each for each in aliases if isinstance(each, str)] if isinstance(aliases, list) else []
    return names


def asked_names(container):
    """Names that a container leads elsewhere itself."""
    links = [each.partition(":")[2] or each for each in container.get("links") or [] if isinstance(each, str)]
    hosts = container.get("extra_hosts") or []
    return links + [str(each) if isinstance(hosts, dict) else re.split("[=:]", str(each))[0] for each in hosts]


def harmless(document, judge):
    """How many names with a variable from outside cannot become the name of another container."""
    from .docker_compose import texts_of
    every = list(containers(document))
    # Where a script runs before the containers, every variable is set.
    if judge.nerdctl or judge.settable("anything at all") or any(each.get("external_links") for _, _, each in every) \
            or any(re.search(r"(^|\s)container:", texts_of([each.get(key) for key in ("cgroup", "ipc", "network_mode", "pid", "userns_mode", "uts", "volumes_from")]))
                   for _, _, each in every):
        return 0
    count = 0
    for at, (section, name, container) in enumerate(every):
        taken = {asked.lower() for _, _, each in every for asked in asked_names(each)}
        numbered = set()
        for index, (kind, other, each) in enumerate(every):
            if index != at:
                taken |= {other.lower()} | {fixed(text, judge) for text in own_names(kind, other, each)} - {None}
                numbered |= set() if "container_name" in each else {other.lower()}
        # A program reads the host name of its container as its own.
        for text in own_names(section, name, container, ("container_name",)):
            try:
                parts = [part.lower() for part in interpolation.fixed_parts(text, judge.settable)]
            except interpolation.Bad:
                continue
            if len(parts) < 2 or "$" in "".join(parts):
                continue
            start, end = parts[0].lstrip(), parts[-1].rstrip()
            fits = any(len(each) >= len(start + end) and each.startswith(start) and each.endswith(end) for each in taken)
            if numbered and (not end or end[-1].isdigit()):
                of = project(document, judge)
                begins = [f"{of}{mark}{each}{mark}" for mark in "-_" for each in numbered]
                fits |= of is None or any(each.startswith(start) or start.startswith(each) for each in begins)
            count += not fits
    return count


def waits(document):
    """By service: those that it waits for, and whether until they have ended."""
    found = {}
    for name, each in (document.get("services") or {}).items():
        others = each.get("depends_on") if isinstance(each, dict) else None
        if isinstance(others, dict):
            found[name] = {(other, isinstance(how, dict) and how.get("condition") == "service_completed_successfully") for other, how in others.items()}
        elif isinstance(others, list):
            found[name] = {(other, False) for other in others if isinstance(other, str)}
    return found


def before(name, order):
    """All that one waits for, step by step."""
    found, left = set(), [name]
    while left:
        for each in order.get(left.pop(), set()):
            if each not in found:
                found.add(each)
                left.append(each[0])
    return found


def is_down(asked, asking, order):
    """Whether a service does not run when another one asks for it."""
    if asked == asking:
        return False
    return (asked, True) in before(asking, order) or any(name == asking for name, _ in before(asked, order))
