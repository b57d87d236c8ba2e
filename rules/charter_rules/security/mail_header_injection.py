"""Reports untrusted data in the headers of mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC124",
    principles=("log-and-header-integrity",),
    severity=Severity.MEDIUM,
    cwe=(93,),
    kinds=("mail",),
    references=("https://cwe.mitre.org/data/definitions/93.html",),
)
def mail_header_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep line breaks of untrusted text out of mail headers.

    A line break in a subject or address adds headers: `Bcc: everyone@…` turns a contact form into a spam relay. The
    `email` package's current policies refuse such values; text handed to `SMTP.sendmail` is sent as it is.

    ```python bad
    import smtplib
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/contact")
    def contact():
        subject = request.form["subject"]
        server = smtplib.SMTP("localhost")
        server.sendmail("web@example.com", "office@example.com", f"Subject: {subject}")
    #                                                            ^^^^^^^^^^^^^^^^^^^^^ `request.form["subject"]` becomes part of a mail that `SMTP.sendmail` sends, headers included
        return {}
    ```
    ```python good
    import smtplib
    from email.message import EmailMessage
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/contact")
    def contact():
        message = EmailMessage()
        message.set_content("hello")
        smtplib.SMTP("localhost").send_message(message)
        return {}
    ```
    """
    yield flows.finding(
        flow, ctx, f"becomes part of a mail that `{flows.api(flow)}` sends, headers included", Severity.MEDIUM
    )
