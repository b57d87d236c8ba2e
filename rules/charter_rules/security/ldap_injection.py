"""Reports untrusted data in LDAP filters and distinguished names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import escaped_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC113",
    principles=("query-languages",),
    severity=Severity.HIGH,
    cwe=(90,),
    kinds=("ldap",),
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/LDAP_Injection_Prevention_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/90.html",
    ),
)
def ldap_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Escape untrusted text in LDAP filters and names.

    `*)(uid=*` in a name turns a login filter into one that matches everybody. Escape values of a filter with
    `escape_filter_chars`, parts of a distinguished name with `escape_dn_chars` or `escape_rdn`.

    ```python bad
    import ldap3
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/person")
    def person():
        connection = ldap3.Connection("ldap.example.com")
        uid = request.args["uid"]
        connection.search("dc=example,dc=com", f"(uid={uid})")
    #                                          ^^^^^^^^^^^^^^ `request.args["uid"]` becomes part of the LDAP query that `Connection.search` sends
        return {"found": len(connection.entries)}
    ```
    ```python fixed
    import ldap3
    from flask import Flask, request
    from ldap3.utils.conv import escape_filter_chars

    app = Flask(__name__)

    @app.get("/person")
    def person():
        connection = ldap3.Connection("ldap.example.com")
        uid = request.args["uid"]
        connection.search("dc=example,dc=com", f"(uid={escape_filter_chars(uid)})")
        return {"found": len(connection.entries)}
    ```
    ```python good
    import ldap3
    from ldap3.utils.conv import escape_filter_chars
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/person")
    def person():
        connection = ldap3.Connection("ldap.example.com")
        connection.search("dc=example,dc=com", f"(uid={escape_filter_chars(request.args['uid'])})")
        return {"found": len(connection.entries)}
    ```
    """
    yield flows.finding(
        flow,
        ctx,
        f"becomes part of the LDAP query that `{flows.api(flow)}` sends",
        Severity.HIGH,
        (escaped_filter(flow, ctx),),
    )
