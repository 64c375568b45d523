"""What whole roots are called, where a file shows each as one thing."""

from .library import graph_types
from .library.names import decoded_name
from .library.rows import format_size


def root_titles(computed, labels):
    """A name for each root of a roots.Computed; None: its kind says enough. `labels`: as of
    Target.thread_labels."""
    return [_title(computed, root, labels) for root in computed.graph.roots]


def _thread(computed, place, labels):
    number = computed.graph.thread_number(place)
    if number is None:
        return "a thread that has ended"
    label = labels.get(number)
    return "thread {}".format(number) + (" ({})".format(label) if label else "")


def _title(computed, root, labels):
    if root.kind == graph_types.ROOT_REGISTER:
        place, name = computed.graph.register(root.start)
        return "register {} of {}".format(name, _thread(computed, place, labels))
    if root.kind == graph_types.ROOT_STACK:
        return "stack of {}".format(_thread(computed, root.thread, labels))
    if root.kind == graph_types.ROOT_TLS:
        return "thread-local storage of {}".format(_thread(computed, root.thread, labels))
    if root.kind == graph_types.ROOT_GAP:
        return None
    region = computed.regions.find(root.start)
    path = decoded_name(region.path) if region is not None and region.path else None
    kind = "data" if root.kind == graph_types.ROOT_FILE else "mapping"
    return "{} of {} at {:#x}{}".format(
        kind, format_size(root.end - root.start), root.start, " ({})".format(path) if path else ""
    )
