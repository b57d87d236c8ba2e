"""What happens on a merge request, push after push, against the double of GitLab."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from charter.review.apply import Outcome, apply_review
from charter.review.forge import ForgeError
from charter.review.gitlab import GitLab
from charter.review.plan import Limits
from charter.review.render import Renderer
from charter.review.target import find_target
from review.gitlab_double import TOKEN, GitLabDouble
from review.toy import ToyCatalogue, item_of, review_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from review.git_project import Project

BASE = "".join(f"line{n} = {n}\n" for n in range(1, 41))
BAD = BASE.replace("line20 = 20\n", "line20 = 20\ntotal = eval(line1)\n")


class Bot:
    """Charter on a merge request of the double."""

    def __init__(self, project: Project, double: GitLabDouble) -> None:
        self.project = project
        self.double = double
        self.slept: list[float] = []

    def forge(self, head: str) -> GitLab:
        api, server = f"{self.double.address}/api/v4", "https://gitlab.test/octo/shop"
        return GitLab("octo/shop", 7, head=head, token=TOKEN, api=api, server=server, sleep=self.slept.append)

    def run(self, *, comments: int = 20) -> Outcome:
        """Review the merge request as it stands."""
        review = review_of(self.project, self.double.base, self.double.head)
        forge = self.forge(review.head)
        try:
            renderer = Renderer(ToyCatalogue(), forge.permalink, forge.suggestion)
            return apply_review(review, forge, renderer, Limits(comments=comments), "auto")
        finally:
            forge.close()


@contextmanager
def bot(
    project: Project, change: Mapping[str, str | bytes | None] | None = None
) -> Generator[tuple[Bot, GitLabDouble]]:
    base = project.commit({"shop.py": BASE})
    project.git("checkout", "-q", "-b", "topic")
    head = project.commit(change or {"shop.py": BAD})
    with GitLabDouble(project.root, base, head) as double:
        yield Bot(project, double), double


def _many(count: int) -> Mapping[str, str | bytes | None]:
    return {"shop.py": "".join(f"v{n} = eval('{n}')\n" for n in range(count))}


def test_the_first_post_stands_on_its_line_with_a_suggestion_and_a_summary(project: Project) -> None:
    with bot(project) as (charter, double):
        outcome = charter.run()
        (thread,) = double.threads()
        (summary,) = double.summaries()
    assert thread.first.position
    assert (thread.first.position["new_path"], thread.first.position["new_line"]) == ("shop.py", 21)
    assert "old_line" not in thread.first.position
    assert "```suggestion:-0+0\ntotal = int(line1)\n```" in thread.first.body
    assert "Charter: 1 new finding" in summary.body
    assert outcome.done == {"post": 1, "summary": 1}


def test_a_second_run_writes_nothing(project: Project) -> None:
    with bot(project) as (charter, double):
        charter.run()
        before = len(double.writes())
        assert charter.run().done == {}
        assert len(double.writes()) == before


def test_a_line_that_the_change_did_not_touch_is_named_by_both_its_numbers(project: Project) -> None:
    base = project.commit({"shop.py": f"def f():\n    return eval('1')\n\n{BASE}"})
    project.git("checkout", "-q", "-b", "topic")
    head = project.commit({"shop.py": f"import os\n\n\ndef f():\n    return eval('1')\n\n{BASE}"})
    item = item_of(1)
    assert item.anchor
    anchor = msgspec.structs.replace(
        item.anchor, path="shop.py", old_path="shop.py", start=5, end=5, old_start=2, old_end=2
    )
    item = msgspec.structs.replace(item, path="shop.py", line=5, anchor=anchor)
    with GitLabDouble(project.root, base, head) as double:
        charter = Bot(project, double)
        forge = charter.forge(head)
        review = msgspec.structs.replace(review_of(project, base, head), items=(item,))
        apply_review(review, forge, Renderer(ToyCatalogue()), Limits(), "auto")
        forge.close()
        (thread,) = double.threads()
    assert thread.first.position
    assert (thread.first.position["new_line"], thread.first.position["old_line"]) == (5, 2)


def test_a_suggestion_of_several_lines_says_how_many_stand_above_the_last(project: Project) -> None:
    item = item_of(4)
    assert item.anchor
    tall = msgspec.structs.replace(item, anchor=msgspec.structs.replace(item.anchor, start=3, end=5))
    with bot(project) as (charter, double):
        forge = charter.forge(double.head)
        assert forge.suggestion(tall) == "suggestion:-2+0"
        forge.close()


def test_a_renamed_file_keeps_its_thread_and_names_its_old_path(project: Project) -> None:
    with bot(project) as (charter, double):
        charter.run()
        double.push(project.commit({"shop.py": None, "store.py": BAD + "again = eval(line2)\n"}))
        outcome = charter.run()
        first, second = double.threads()
    assert outcome.done["post"] == 1
    assert first.first.position
    assert second.first.position
    assert second.first.position["old_path"] == "shop.py"


def test_what_is_fixed_is_resolved_and_what_comes_back_is_reopened(project: Project) -> None:
    with bot(project) as (charter, double):
        charter.run()
        double.push(project.commit({"shop.py": BASE + "more = 1\n"}))
        fixed = charter.run()
        (thread,) = double.threads()
        assert thread.first.resolved_by == double.viewer
        assert "No longer found" in thread.first.body
        assert charter.run().done == {}
        double.push(project.commit({"shop.py": BAD}))
        back = charter.run()
        assert thread.first.resolved_by is None
        assert "runs text as code" in thread.first.body
    assert fixed.done == {"resolve": 1, "summary": 1}
    assert back.done["reopen"] == 1


def test_a_guest_may_comment_and_edit_but_not_resolve_and_claims_no_more(project: Project) -> None:
    with bot(project) as (charter, double):
        double.rights = {"api"}
        charter.run()
        double.push(project.commit({"shop.py": BASE + "more = 1\n"}))
        outcome = charter.run()
        (thread,) = double.threads()
        assert charter.run().done == {}
    assert thread.first.resolved_by is None
    assert "No longer found" in thread.first.body
    assert outcome.done == {"edit": 1, "summary": 1}


def test_what_a_person_resolved_stays_resolved_and_what_people_say_stays(project: Project) -> None:
    with bot(project) as (charter, double):
        charter.run()
        (thread,) = double.threads()
        double.say(7, "we know", to=thread)
        thread.first.resolved_by = 7
        double.push(project.commit({"shop.py": f"a = 1\n{BAD}"}))
        outcome = charter.run()
        assert thread.first.resolved_by == 7
        assert [note.body for note in thread.notes[1:]] == ["we know"]
    assert "post" not in outcome.done
    assert "reopen" not in outcome.done


def test_a_marker_forged_by_somebody_else_is_not_believed(project: Project) -> None:
    with bot(project) as (charter, double):
        charter.run()
        marked = double.threads()[0].first.body
        double.discussions.clear()
        double.say(7, marked)
        outcome = charter.run()
    assert outcome.done == {"post": 1, "summary": 1}


def test_among_250_conversations_of_others_our_own_are_found(project: Project) -> None:
    with bot(project) as (charter, double):
        for number in range(250):
            double.say(7, f"nit {number}", system=number % 2 == 0)
        charter.run()
        assert charter.run().done == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_502_loses_nothing_and_says_nothing_twice(project: Project, when: str) -> None:
    with bot(project, _many(3)) as (charter, double):
        double.faults += [("POST .*/discussions", when), ("POST .*/7/notes", when)]
        outcome = charter.run()
        assert len(double.threads()) == 3
        assert len(double.summaries()) == 1
    assert outcome.done["post"] == 3
    assert not outcome.problems


def test_a_line_that_gitlab_does_not_take_loses_no_other(project: Project) -> None:
    with bot(project, _many(3)) as (charter, double):
        double.refuse_line = 2
        outcome = charter.run()
        lines = [one.first.position["new_line"] for one in double.threads() if one.first.position]
        (summary,) = double.summaries()
    assert sorted(lines) == [1, 3]
    assert "The forge took no comment at these places" in summary.body
    assert len(outcome.problems) == 1


def test_a_limit_is_waited_for_as_long_as_it_says(project: Project) -> None:
    with bot(project) as (charter, double):
        double.limits = 1
        charter.run()
        assert len(double.threads()) == 1
    assert charter.slept == [7.0]


def test_a_token_that_may_only_read_posts_nothing_and_says_why(project: Project) -> None:
    with bot(project) as (charter, double):
        double.rights = set()
        outcome = charter.run()
        assert double.threads() == []
    assert outcome.denied
    assert "insufficient_scope" in outcome.problems[0]


def test_the_diff_of_a_new_push_is_waited_for(project: Project) -> None:
    with bot(project) as (charter, double):
        double.unprepared = 2
        charter.run()
        assert len(double.threads()) == 1
    assert charter.slept == [2.0, 4.0]


def test_a_diff_that_is_never_prepared_is_told(project: Project) -> None:
    with bot(project) as (charter, double):
        double.unprepared = 99
        with pytest.raises(ForgeError, match="run again later"):
            charter.run()


def test_nothing_is_posted_on_a_head_that_moved(project: Project) -> None:
    with bot(project) as (charter, double):
        review = review_of(project, double.base, double.head)
        double.push(project.commit({"shop.py": BASE}))
        forge = charter.forge(review.head)
        outcome = apply_review(review, forge, Renderer(ToyCatalogue()), Limits(), "auto")
        forge.close()
        assert double.writes() == []
    assert outcome.moved


def test_a_pipeline_of_a_fork_posts_to_the_project_of_the_merge_request() -> None:
    environment = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_PROJECT_ID": "99",
        "CI_PROJECT_URL": "https://gitlab.test/mallory/shop",
        "CI_MERGE_REQUEST_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.test/octo/shop",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "b" * 40,
        "CI_COMMIT_SHA": "a" * 40,
        "CI_API_V4_URL": "https://gitlab.test/api/v4",
    }
    target = find_target("auto", "", "", None, environment)
    assert (target.forge, target.repository, target.number) == ("gitlab", "5", 7)
    assert (target.base, target.head) == ("b" * 40, "a" * 40)
    assert target.server == "https://gitlab.test/octo/shop"
    assert target.token == ""
