"""Reports untrusted data in the system prompt of a language model."""

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
    code="SEC126",
    principles=("untrusted-instructions",),
    severity=Severity.HIGH,
    cwe=(1427,),
    kinds=("instructions",),
    references=(
        "https://genai.owasp.org/llmrisk/llm01-prompt-injection/",
        "https://cwe.mitre.org/data/definitions/1427.html",
    ),
)
def prompt_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep untrusted text out of a model's instructions.

    A language model obeys its system prompt. Text of a stranger in it is obeyed too: it can switch off rules, call
    tools and give away what the prompt holds. Hand such text over as a user message, marked as data, and let no
    tool act on it without a check.

    ```python bad
    import anthropic
    from flask import Flask, request

    app = Flask(__name__)
    client = anthropic.Anthropic()

    @app.post("/ask")
    def ask():
        role = request.form["role"]
        answer = client.messages.create(model="m", max_tokens=99, system=f"You are {role}", messages=[])
    #                                                                    ^^^^^^^^^^^^^^^^^ `request.form["role"]` becomes part of the instructions that a model obeys
        return {"answer": answer.content}
    ```
    ```python good
    import anthropic
    from flask import Flask, request

    app = Flask(__name__)
    client = anthropic.Anthropic()
    ROLES = {"cook": "You are a cook", "guide": "You are a guide"}

    @app.post("/ask")
    def ask():
        answer = client.messages.create(
            model="m", max_tokens=99, system=ROLES[request.form["role"]], messages=[]
        )
        return {"answer": answer.content}
    ```
    """
    yield flows.finding(flow, ctx, "becomes part of the instructions that a model obeys", Severity.HIGH)
