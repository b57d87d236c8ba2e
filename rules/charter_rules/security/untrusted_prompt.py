"""Notes where untrusted data becomes part of a language model's prompt."""

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
    code="SEC127",
    principles=("untrusted-instructions",),
    severity=Severity.INFO,
    cwe=(1427,),
    kinds=("prompt",),
    default=False,
    references=(
        "https://genai.owasp.org/llmrisk/llm01-prompt-injection/",
        "https://cwe.mitre.org/data/definitions/1427.html",
    ),
)
def untrusted_prompt(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Know where strangers talk to your model.

    A user's question has to reach the model; this note only marks the place. Whatever stands there can try to
    change what the model does, so its answer is no more trusted than the question: check it before it reaches a
    tool, a page or a database.

    ```python bad
    import anthropic
    from flask import Flask, request

    app = Flask(__name__)
    client = anthropic.Anthropic()

    @app.post("/ask")
    def ask():
        messages = [{"role": "user", "content": request.form["question"]}]
        answer = client.messages.create(model="m", max_tokens=99, messages=messages)
    #                                                                      ^^^^^^^^ `request.form["question"]` becomes part of a prompt
        return {"answer": answer.content}
    ```
    ```python good
    import anthropic

    client = anthropic.Anthropic()

    def ask():
        return client.messages.create(model="m", max_tokens=99, messages=[{"role": "user", "content": "hello"}])
    ```
    """
    yield flows.finding(flow, ctx, "becomes part of a prompt", Severity.INFO)
