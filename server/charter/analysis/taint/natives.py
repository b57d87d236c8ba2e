"""What the built-in functions and a few of the standard library do with values, beyond what models can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint import patterns
from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.frame import LENGTH, REST
from charter.analysis.taint.strings import first_word
from charter.analysis.taint.values import (
    ALL_ABSOLUTE,
    ALL_DANGERS,
    ALL_RAW,
    ALL_SEGMENTS,
    BIT,
    CONTROL,
    DANGERS,
    ELSEWHERE,
    EXTERNAL,
    HOLE,
    INSTANCE,
    IP_ADDRESS,
    JSON_TEXT,
    LANE,
    NO,
    OBJECT,
    OPEN_FILE,
    PART,
    PARTIAL,
    PATH,
    PROJECT_INSTANCE,
    PROJECT_MODULE,
    UNKNOWN,
    Value,
    constant,
    join,
    lanes,
    spread,
    tainted,
    text_of,
    with_marks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_HOSTS: Final = spread(BIT["ssrf"] | BIT["ssrf-part"] | ELSEWHERE)
_DICT: Final = (INSTANCE, "builtins.dict")
_FOLDERS: Final = spread(PATH)
_ALL_ARGUMENTS: Final = spread(BIT["argument"])
_CONTROL: Final = spread(CONTROL)
_LOADED: Final = (EXTERNAL, "marshmallow.Schema.load()")


def _text(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0)
    if value is not None and (arguments.position(1) or arguments.keywords) and not value[3]:
        return (value[0], value[1], None, ())  # `str(data, "utf-8")`
    return constant("") if value is None else frame.stringed(value)


def _repr(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0)
    return UNKNOWN if value is None else (frame.deep(value) & ~_CONTROL, NO, None, ())


def _harmless(frame: Any, arguments: Arguments, place: int) -> Value:
    return UNKNOWN


def _number(frame: Any, arguments: Arguments, place: int) -> Value:
    """`int(x)` and the like: a number, and if it returns, `x` looked like one."""
    value = arguments.position(0)
    if value is None:
        return UNKNOWN
    known = value[1]
    if value[0] & ALL_DANGERS:
        mask = 0
        for lane in lanes(value[0]):
            if not value[0] >> LANE * lane & PART:
                mask |= DANGERS << LANE * lane
        frame.kill((mask, ()))
        return UNKNOWN
    if isinstance(known, int | str | float) and len(arguments.positional) == 1 and len(str(known)) < 20:
        try:
            return constant(int(known))
        except (ValueError, OverflowError):
            return UNKNOWN
    return UNKNOWN


def _address(frame: Any, arguments: Arguments, place: int) -> Value:
    """`ipaddress.ip_address(host)`: it spells no attack, but may still be any machine's."""
    value = arguments.position(0) or UNKNOWN
    hosts = value[0] & _HOSTS
    mask = 0
    for lane in lanes(value[0]):
        if not value[0] >> LANE * lane & PART:
            mask |= DANGERS << LANE * lane
    if mask & ~_HOSTS:
        frame.kill((mask & ~_HOSTS, ()))
    return (with_marks(hosts, PART), NO, IP_ADDRESS, ())


def _resolved(frame: Any, arguments: Arguments, place: int) -> Value:
    """`socket.getaddrinfo(host, port)`: addresses, which still stand for the host."""
    value = arguments.position(0) or UNKNOWN
    return (with_marks(value[0] & _HOSTS, PART), NO, None, ())


def _length(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0)
    if value is None or value[0]:
        return UNKNOWN
    if isinstance(value[1], str | bytes):
        return constant(len(value[1]))
    exact = frame.elements_exactly(value)
    return UNKNOWN if exact is None or frame.loops else constant(len(exact))


def _sequence(sort: str) -> Callable[[Any, Arguments, int], Value]:
    def build(frame: Any, arguments: Arguments, place: int) -> Value:
        value = arguments.position(0)
        if value is None:
            return frame.sequence([], sort, place)
        exact = frame.elements_exactly(value)
        if exact is not None:
            return frame.sequence(exact, sort, place)
        if value[0] and not value[3]:
            element = frame.iterated(value)
            result = frame.new(f"builtins.{sort}", place, {REST: element})
            return (value[0], NO, result[2], result[3])
        cells = frame.cells(value) if sort != "set" and frame.is_sequence(value) else None
        if cells and 0 in cells:
            return frame.new(f"builtins.{sort}", place, cells)
        return frame.new(f"builtins.{sort}", place, {REST: frame.iterated(value)})

    return build


def _dict(frame: Any, arguments: Arguments, place: int) -> Value:
    result = frame.new("builtins.dict", place, dict(arguments.keywords))
    for other in (*arguments.positional, *arguments.unpacked()):
        reference = other[2]
        if reference is not None and reference[0] == INSTANCE and reference[1].endswith(("dict", "Dict")):
            frame.merge(result, other)
        elif other[3]:
            pair = frame.iterated(other)
            frame.write(result, REST, frame.elements(pair) if pair[3] else pair)
        elif other[0]:
            return (other[0], NO, result[2], result[3])
    return result


def _first(frame: Any, arguments: Arguments, place: int) -> Value:
    return arguments.position(0) or UNKNOWN


def _loaded(frame: Any, arguments: Arguments, place: int) -> Value:
    """`schema.load(data)`: the parts that were put in, under names that the schema has."""
    value = arguments.position(0) or UNKNOWN
    return value if value[3] else (with_marks(value[0], OBJECT), value[1], _LOADED, ())


def _second(frame: Any, arguments: Arguments, place: int) -> Value:
    return arguments.position(1) or UNKNOWN


def _iterated(frame: Any, arguments: Arguments, place: int) -> Value:
    """`reversed`, `sorted`, `iter`: the same elements in another order."""
    value = arguments.position(0) or UNKNOWN
    if not value[3]:
        return value if value[0] else UNKNOWN
    return frame.new("builtins.list", place, {REST: frame.iterated(value)})


def _next(frame: Any, arguments: Arguments, place: int) -> Value:
    value = frame.iterated(arguments.position(0) or UNKNOWN)
    default = arguments.position(1)
    return value if default is None else join(value, default)


def _enumerate(frame: Any, arguments: Arguments, place: int) -> Value:
    element = frame.iterated(arguments.position(0) or UNKNOWN)
    pair = frame.new("builtins.tuple", -place - 1, {0: UNKNOWN, 1: element, LENGTH: constant(2)})
    return frame.new("builtins.list", place, {REST: pair})


def _zip(frame: Any, arguments: Arguments, place: int) -> Value:
    elements = [frame.iterated(one) for one in arguments.positional]
    cells: dict[Any, Value] = dict(enumerate(elements))
    cells[LENGTH] = constant(len(elements))
    pair = frame.new("builtins.tuple", -place - 1, cells)
    return frame.new("builtins.list", place, {REST: pair})


def _map(frame: Any, arguments: Arguments, place: int) -> Value:
    function = arguments.position(0) or UNKNOWN
    elements = [frame.iterated(one) for one in arguments.positional[1:]]
    before = frame.loops
    frame.loops += 1
    element = frame.invoke(function, Arguments.of(elements, place), place)
    frame.loops = before
    return frame.new("builtins.list", place, {REST: element})


def _filter(frame: Any, arguments: Arguments, place: int) -> Value:
    element = frame.iterated(arguments.position(1) or UNKNOWN)
    return frame.new("builtins.list", place, {REST: element})


def _getattr(frame: Any, arguments: Arguments, place: int) -> Value:
    owner, name = arguments.position(0) or UNKNOWN, arguments.position(1) or UNKNOWN
    if isinstance(name[1], str) and name[1].isidentifier():
        result = frame.attribute(owner, name[1], place)
        default = arguments.position(2)
        return result if default is None or result[2] is not None else join(result, default)
    if owner[2] is not None and owner[2][0] == PROJECT_MODULE:
        return frame.any_class_of(owner[2][1])
    if owner[2] is not None and owner[2][0] == PROJECT_INSTANCE and isinstance(name[1], tuple):
        return frame.any_method_of(owner, text_of(name).partition(HOLE)[0], place)
    return (owner[0], NO, None, ())


def _setattr(frame: Any, arguments: Arguments, place: int) -> Value:
    owner, name, new = (arguments.position(index) or UNKNOWN for index in range(3))
    if isinstance(name[1], str):
        frame.store_attribute(owner, name[1], new, place)
    elif owner[3]:
        frame.write(owner, REST, new)
    return UNKNOWN


_FIELDS: Final = "collections.namedtuple:"
"""What a made class is known by: its fields stand behind."""


def _named_tuple(frame: Any, arguments: Arguments, place: int) -> Value:
    """`collections.namedtuple(name, fields)`: a class of tuples."""
    fields = arguments.get(1, "field_names") or UNKNOWN
    names = fields[1].replace(",", " ").split() if isinstance(fields[1], str) else []
    exact: list[Value] = frame.elements_exactly(fields) or []
    names = names or [one[1] for one in exact if isinstance(one[1], str)]
    return (0, NO, (EXTERNAL, _FIELDS + ",".join(names)), ()) if names else UNKNOWN


def made_tuple(frame: Any, path: str, arguments: Arguments, place: int) -> Value | None:
    """An instance of a class made by `collections.namedtuple`."""
    if not path.startswith(_FIELDS):
        return None
    cells: dict[Any, Value] = {}
    for index, name in enumerate(path.removeprefix(_FIELDS).split(",")):
        cells[index] = cells["." + name] = arguments.get(index, name) or UNKNOWN
    cells[LENGTH] = constant(path.count(",") + 1)
    return frame.new("builtins.tuple", place, cells)


def _reduced(frame: Any, arguments: Arguments, place: int) -> Value:
    """`functools.reduce(function, values, start)`."""
    element = frame.iterated(arguments.position(1) or UNKNOWN)
    start = arguments.position(2)
    element = element if start is None else join(element, start)
    return frame.invoke(arguments.position(0) or UNKNOWN, Arguments.of([element, element], place), place)


def _as_dict(frame: Any, arguments: Arguments, place: int) -> Value:
    """`dataclasses.asdict(value)` and `vars(value)`: the attributes by name."""
    value = arguments.position(0) or UNKNOWN
    cells = frame.cells(value)
    if not cells:
        return (frame.deep(value), NO, None, ())
    named = {key[1:]: one for key, one in cells.items() if isinstance(key, str) and key[0] == "."}
    result = frame.new("builtins.dict", place, named)
    return (value[0], NO, result[2], result[3])


def _with_changes(frame: Any, arguments: Arguments, place: int) -> Value:
    """`dataclasses.replace(value, **changes)`."""
    value = arguments.position(0) or UNKNOWN
    cells = dict(frame.cells(value) or {})
    cells.update({"." + name: one for name, one in arguments.keywords.items()})
    result = frame.new_object(value[2], place, cells)
    return (value[0], NO, value[2], result[3])


def _item_getter(frame: Any, arguments: Arguments, place: int) -> Value:
    """`operator.itemgetter(key)`: a function that gives an item."""
    return (
        0,
        NO,
        (
            PARTIAL,
            (0, NO, (EXTERNAL, "operator.getitem"), ()),
            (),
            (("key", arguments.position(0) or UNKNOWN),),
        ),
        (),
    )


def _got_item(frame: Any, arguments: Arguments, place: int) -> Value:
    key = arguments.get(1, "key") or UNKNOWN
    return frame.subscript(arguments.position(0) or UNKNOWN, key, place)


def _module(frame: Any, arguments: Arguments, place: int) -> Value:
    """`importlib.import_module(name)` and `__import__(name)` of a known name."""
    name = arguments.get(0, "name") or UNKNOWN
    if not isinstance(name[1], str) or name[1][:1] in {"", "."}:
        return UNKNOWN
    found = frame.project.module(name[1], frame.module)
    return frame.external(name[1], place) if found is None else (0, NO, (PROJECT_MODULE, found), ())


def _partial(frame: Any, arguments: Arguments, place: int) -> Value:
    function = arguments.position(0) or UNKNOWN
    keywords = tuple(sorted(arguments.keywords.items()))
    return (0, NO, (PARTIAL, function, tuple(arguments.positional[1:]), keywords), ())


def _joined_path(frame: Any, arguments: Arguments, place: int) -> Value:
    """`os.path.join`: an absolute part discards what stands before it."""
    parts = [frame.stringed(one) for one in arguments.positional]
    taint = 0
    for part in (*parts, *arguments.unpacked()):
        taint |= frame.deep(part)
    if len(parts) > 1 and parts[0][1] == "":
        del parts[0]  # it puts no slash before the next
    # Texts are joined as they stand; whether a part is absolute is kept in its taint.
    if all(isinstance(part[1], str) and not part[0] for part in parts) and not arguments.unpacked():
        return constant("/".join(part[1] for part in parts))
    if arguments.unpacked():
        taint &= ~ALL_SEGMENTS  # several names, one after the other
    if parts and parts[0][1] is NO and parts[0][0] & ALL_ABSOLUTE:
        return (taint, NO, None, ())  # of whose beginning is another's, all is
    if len(parts) > 1 and not parts[0][0]:
        taint &= ~_ALL_ARGUMENTS  # what stands behind a folder, or begins with a slash, begins with no dash
    text = "/".join(part[1] if isinstance(part[1], str) else "\0" for part in parts)
    return (taint, ("~", text), None, ())


def _unsplit_address(frame: Any, arguments: Arguments, place: int) -> Value:
    """`urlunparse((scheme, host, path, …))`: the path stands behind the host, with a slash between them."""
    value = arguments.position(0) or UNKNOWN
    parts = frame.elements_exactly(value) or ()
    if len(parts) < 3 or parts[1][1] == "":
        return (frame.deep(value) & ~ALL_SEGMENTS, NO, None, ())
    return frame.concat([parts[0], constant("://"), parts[1], constant("/"), *parts[2:]])


def _normal_path(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0) or UNKNOWN
    return (value[0] & ~ALL_RAW, NO, ("x", "os.path.realpath()"), ())


def _bare_normal_path(frame: Any, arguments: Arguments, place: int) -> Value:
    """`os.path.normpath`: of a name that nothing was put before it is known where it leads up."""
    value = arguments.position(0) or UNKNOWN
    if value[1] is not NO:
        return _normal_path(frame, arguments, place)
    return (value[0] & ~ALL_RAW, NO, ("x", "os.path.normpath()"), ())


def _last_part(frame: Any, arguments: Arguments, place: int) -> Value:
    """`os.path.basename`: no folders are left; it is still only a part."""
    value = arguments.position(0) or UNKNOWN
    return (with_marks(value[0] & ~_FOLDERS, PART), NO, None, ())


def _split_path(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0) or UNKNOWN
    part = (with_marks(value[0], PART), NO, None, ())
    return frame.sequence([part, part], "tuple", place)


def _split_name(frame: Any, arguments: Arguments, place: int) -> Value:
    """`os.path.splitext`: what begins with the last dot holds no slash."""
    value = arguments.position(0) or UNKNOWN
    stem = (with_marks(value[0], PART), NO, None, ())
    ending = (with_marks(value[0] & ~_FOLDERS, PART), NO, None, ())
    return frame.sequence([stem, ending], "tuple", place)


def _folder(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0) or UNKNOWN
    return (with_marks(value[0], PART), NO, ("x", "os.path.dirname()"), ())


def _parsed_data(frame: Any, arguments: Arguments, place: int) -> Value:
    """`json.loads` and the like: what comes out may be a dictionary."""
    value = arguments.position(0) or UNKNOWN
    # An open file's name is not what it holds.
    taint = value[0] if value[2] == OPEN_FILE else frame.deep(value)
    return (with_marks(taint, OBJECT), NO, _DICT if taint else None, ())


def _dumped(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0) or UNKNOWN
    taint = frame.deep(value) & ~_CONTROL
    return (taint, NO, JSON_TEXT if taint else None, ())


def _isinstance(frame: Any, arguments: Arguments, place: int) -> Value:
    return UNKNOWN


def _open(frame: Any, arguments: Arguments, place: int) -> Value:
    path = arguments.position(0) or UNKNOWN
    return frame.new_object(OPEN_FILE, place, {".name": (path[0], NO, None, ())})


def _chr(frame: Any, arguments: Arguments, place: int) -> Value:
    value = arguments.position(0) or UNKNOWN
    known = value[1]
    return constant(chr(known)) if isinstance(known, int) and 0 <= known < 0x110000 else UNKNOWN


def _fold(frame: Any, arguments: Arguments, place: int) -> Value:
    """`min`, `max`: one of the arguments or elements."""
    if len(arguments.positional) == 1:
        return frame.iterated(arguments.positional[0])
    result = UNKNOWN
    for one in arguments.positional:
        result = join(result, one)
    return (result[0], NO, result[2], result[3])


def _default_dict(frame: Any, arguments: Arguments, place: int) -> Value:
    result = frame.new("collections.defaultdict", place, {})
    factory = arguments.position(0)
    if factory is not None and factory[2] is not None:
        frame.write(result, (".default",), frame.invoke(factory, Arguments(place), place))
    return result


def _words(frame: Any, arguments: Arguments, place: int) -> Value:
    """`shlex.split(text)`: a program and its arguments, of which the known beginning of the text tells the program."""
    value = arguments.position(0) or UNKNOWN
    first = first_word(value) if value[0] else {}
    return (
        frame.new("builtins.list", place, {**first, REST: tainted(value[0])}) if first else tainted(value[0])
    )


_BY_FUNCTION: Final[tuple[tuple[Callable[[Any, Arguments, int], Value], str], ...]] = (
    (_words, "shlex.split"),
    (_text, "builtins.str builtins.bytes builtins.bytearray builtins.format"),
    (_repr, "builtins.repr builtins.ascii"),
    (_number, "builtins.int builtins.float builtins.complex uuid.UUID decimal.Decimal ipaddress.ip_network"),
    (
        _harmless,
        (
            "builtins.bool builtins.abs builtins.hash builtins.id builtins.ord builtins.hex builtins.round "
            "builtins.issubclass builtins.callable builtins.range builtins.all builtins.any builtins.print"
        ),
    ),
    (_length, "builtins.len"),
    (_isinstance, "builtins.isinstance"),
    (_chr, "builtins.chr"),
    (_sequence("list"), "builtins.list collections.deque asyncio.gather"),
    (_sequence("tuple"), "builtins.tuple"),
    (_sequence("set"), "builtins.set builtins.frozenset"),
    (_dict, "builtins.dict collections.OrderedDict collections.ChainMap"),
    (_iterated, "builtins.iter builtins.reversed builtins.sorted"),
    (_next, "builtins.next builtins.anext"),
    (_enumerate, "builtins.enumerate"),
    (_zip, "builtins.zip"),
    (_map, "builtins.map"),
    (_filter, "builtins.filter"),
    (_getattr, "builtins.getattr"),
    (_setattr, "builtins.setattr"),
    (_fold, "builtins.min builtins.max builtins.sum os.path.commonpath os.path.commonprefix"),
    (
        _first,
        (
            "builtins.memoryview builtins.staticmethod copy.copy copy.deepcopy os.path.expanduser os.path.expandvars "
            "os.path.normcase os.fspath os.fsencode os.fsdecode asyncio.run asyncio.wait_for asyncio.ensure_future "
            "asyncio.create_task contextlib.closing contextlib.nullcontext asyncio.shield "
            "builtins.property"
        ),
    ),
    (_loaded, "marshmallow.Schema.load"),
    (_named_tuple, "collections.namedtuple"),
    (_reduced, "functools.reduce"),
    (_as_dict, "dataclasses.asdict dataclasses.astuple builtins.vars"),
    (_with_changes, "dataclasses.replace copy.replace"),
    (_item_getter, "operator.itemgetter"),
    (_got_item, "operator.getitem"),
    (_module, "importlib.import_module builtins.__import__"),
    (_partial, "functools.partial functools.partialmethod"),
    (_second, "typing.cast"),
    (_joined_path, "os.path.join posixpath.join"),
    (_unsplit_address, "urllib.parse.urlunparse urllib.parse.urlunsplit"),
    (_bare_normal_path, "os.path.normpath posixpath.normpath"),
    (_normal_path, "os.path.realpath os.path.abspath"),
    (_last_part, "os.path.basename"),
    (_folder, "os.path.dirname"),
    (_split_name, "os.path.splitext"),
    (_split_path, "os.path.split"),
    (_parsed_data, "json.loads json.load ast.literal_eval"),
    (_dumped, "json.dumps"),
    (_address, "ipaddress.ip_address ipaddress.IPv4Address ipaddress.IPv6Address"),
    (_resolved, "socket.getaddrinfo socket.gethostbyname socket.gethostbyname_ex"),
    (_default_dict, "collections.defaultdict"),
    (_open, "builtins.open io.open codecs.open"),
)

NATIVE: Final[dict[str, Callable[[Any, Arguments, int], Value]]] = {
    name: function for function, names in _BY_FUNCTION for name in names.split()
} | patterns.NATIVE
