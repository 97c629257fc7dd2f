"""What boto3 does before it can make a client, done ahead by the zygote, so that a fork's first session finds it done.

Most of the time that a function's first client takes, botocore looks for its own files and parses them: the endpoints of all
services, and the description of the client's own. What it has read it keeps in a loader, one for each session. Here a session
makes a client for each of the services that functions use most, and its loader becomes that of the first session in a fork, to
which it is as if it had made those clients before. The same holds for the table of botocore's own handlers of events, which
each session fills anew. A second session does all of that itself, as in every process: no two of them have anything in common
that one could change.
"""

import functools
import os

SERVICES = ("s3", "dynamodb", "sqs", "sns", "lambda", "secretsmanager", "ssm", "events", "stepfunctions", "sts")
# What a session reads of whoever runs it: nothing.
NOBODY = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def prepare(botocore):
    """Sessions come to what is replaced here, until the first has come."""
    variables = dict(os.environ)
    os.environ.update(NOBODY)
    try:
        loader, calls = read(botocore)
        offer_loader(botocore, loader)
        offer_rules(botocore, calls)
        offer_handlers(botocore)
    finally:
        os.environ.clear()
        os.environ.update(variables)


def read(botocore):
    """A loader that has read what clients of the usual services need, and with what they made their endpoints' rules."""
    kind, calls = botocore.endpoint_provider.EndpointProvider, []
    usual = kind.__init__

    def __init__(self, *arguments, **named):
        calls.append((arguments, named))
        usual(self, *arguments, **named)

    kind.__init__ = __init__
    try:
        maker = botocore.session.get_session()
        known = set(maker.get_available_services())
        for service in SERVICES:
            if service in known:
                maker.create_client(service, "us-east-1", aws_access_key_id="nobody", aws_secret_access_key="nobody")
        return maker.get_component("data_loader"), calls
    finally:
        kind.__init__ = usual


def offer_loader(botocore, loader):
    usual, kind, loaders = botocore.session.create_loader, botocore.loaders.Loader, [loader]

    @functools.wraps(usual)
    def create_loader(search_path_string=None):
        put_back(botocore.session, create_loader, usual)
        # Descriptions that its user has added. botocore looked for their place when it was loaded, by another user.
        former, own = kind.CUSTOMER_DATA_PATH, os.path.join(os.path.expanduser("~"), ".aws", "models")
        kind.CUSTOMER_DATA_PATH = own
        if not search_path_string and not os.path.isdir(own):
            try:
                loader = loaders.pop()
            except IndexError:
                pass  # another thread was faster
            else:
                loader.search_paths[:] = [own if path == former else path for path in loader.search_paths]
                return loader
        return usual(search_path_string)

    botocore.session.create_loader = create_loader


def offer_rules(botocore, calls):
    kind = botocore.endpoint_provider.EndpointProvider
    usual = kind.__init__
    # A ruleset is known by being the same object: it comes from the loader.
    offered = {id(named["ruleset_data"]): (named, vars(kind(**named))) for arguments, named in calls if not arguments}
    known = set(offered)

    @functools.wraps(usual)
    def __init__(self, *arguments, **named):
        rules = id(named.get("ruleset_data"))
        like, made = offered.pop(rules, ({}, None))
        if not offered or rules not in known:  # of a session that reads for itself
            put_back(kind, __init__, usual)
        if made and not arguments and named.keys() == like.keys() and all(named[name] is like[name] for name in like):
            vars(self).update(made)
        else:
            usual(self, *arguments, **named)

    kind.__init__ = __init__


def offer_handlers(botocore):
    kind, builtin = botocore.session.Session, list(botocore.handlers.BUILTIN_HANDLERS)
    usual = kind._register_builtin_handlers
    events = kind()._events
    emitter, names = vars(events._emitter), events._alias_name_cache
    blank = botocore.hooks.HierarchicalEmitter()
    if not is_blank(blank, emitter) or not emitter["_handlers"]._root["children"]:
        return  # they work in another way
    offered = [(emitter, names)]

    @functools.wraps(usual)
    def _register_builtin_handlers(self, events):
        put_back(kind, _register_builtin_handlers, usual)
        if type(events._emitter) is type(blank) and is_blank(events._emitter, emitter):
            if botocore.handlers.BUILTIN_HANDLERS == builtin:
                try:
                    handlers, names = offered.pop()
                except IndexError:
                    pass  # another thread was faster
                else:
                    vars(events._emitter).update(handlers)
                    events._alias_name_cache.update(names)
                    return
        usual(self, events)

    kind._register_builtin_handlers = _register_builtin_handlers


def put_back(place, ours, usual):
    """Unless it was replaced again, by the function's tracer, say."""
    if vars(place).get(usual.__name__) is ours:
        setattr(place, usual.__name__, usual)


def is_blank(emitter, like):
    """Nobody has registered anything there, and it is known by what it does so."""
    state = vars(emitter)
    return (
        state.keys() == like.keys() == {"_lookup_cache", "_handlers", "_unique_id_handlers"}
        and not state["_handlers"]._root["children"]
        and not state["_unique_id_handlers"]
    )
