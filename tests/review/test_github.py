"""What happens on a pull request, push after push, against the double of GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.review.marker import read_marker
from review.github_double import Comment, GitHubDouble
from review.toy import bot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from review.git_project import Project

BASE = "".join(f"line{n} = {n}\n" for n in range(1, 41))
CLEAN = {"shop.py": BASE}


def _insert(text: str, after: int, *lines: str) -> str:
    parts = text.splitlines(keepends=True)
    return "".join([*parts[:after], *(f"{line}\n" for line in lines), *parts[after:]])


BAD = {"shop.py": _insert(BASE, 20, "total = eval(line1)")}


def _start(project: Project, change: Mapping[str, str | bytes | None] = BAD) -> tuple[str, str]:
    base = project.commit(CLEAN)
    project.git("checkout", "-q", "-b", "topic")
    return base, project.commit(change)


def _open(double: GitHubDouble) -> list[Comment]:
    return [comment for comment in double.ours() if comment.resolved_by is None]


def _state(comment: Comment) -> str:
    marker = read_marker(comment.body)
    assert marker is not None
    return marker.state


def test_the_first_post_stands_on_its_line_with_a_suggestion_and_a_summary(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        outcome = charter.run()
        (comment,) = double.ours()
        (summary,) = double.summaries
    assert (comment.path, comment.line, comment.start_line) == ("shop.py", 21, None)
    assert "```suggestion\ntotal = int(line1)\n```" in comment.body
    assert "`eval(line1)` runs text as code" in comment.body
    assert "Text that runs can do anything." in comment.body
    assert "Charter: 1 new finding" in summary.body
    assert outcome.done == {"post": 1, "summary": 1}
    assert not outcome.problems


def test_a_second_run_says_nothing(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        before = len(double.log)
        outcome = charter.run()
        writes = [entry for entry in double.log[before:] if not entry[1].endswith("graphql")]
    assert outcome.done == {}
    assert writes == []


def test_a_clean_change_stays_silent(project: Project) -> None:
    with bot(project, *_start(project, {"shop.py": BASE + "more = 1\n"})) as (charter, double):
        charter.run()
        assert double.posts() == []


def test_an_amended_commit_with_shifted_lines_posts_nothing_new(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        double.push(project.commit({"shop.py": _insert(BAD["shop.py"], 3, "a = 1", "b = 2")}, amend=True))
        outcome = charter.run()
        (comment,) = double.ours()
    assert "post" not in outcome.done
    assert comment.line == 23
    assert _state(comment) == "open"


def test_a_renamed_file_keeps_its_comment(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        double.push(project.commit({"shop.py": None, "store.py": BAD["shop.py"]}))
        outcome = charter.run()
        assert len(double.ours()) == 1
    assert "post" not in outcome.done
    assert "resolve" not in outcome.done


def test_a_file_added_and_then_renamed_by_the_change_keeps_its_comment(project: Project) -> None:
    new = {"new.py": "x = '1'\ny = eval(x)\n"}
    with bot(project, *_start(project, new)) as (charter, double):
        charter.run()
        double.push(project.commit({"new.py": None, "other.py": new["new.py"] + "z = 1\n"}))
        # GitHub marks comments of a file that is gone as outdated; nothing new may be said of the old place.
        charter.run()
        assert len(_open(double)) == 1


def test_what_is_fixed_is_resolved_where_the_token_may(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        double.push(project.commit({"shop.py": BASE + "more = 1\n"}))
        outcome = charter.run()
        again = charter.run()
        (comment,) = double.ours()
        (summary,) = double.summaries
    assert comment.resolved_by == double.viewer
    assert "No longer found" in comment.body
    assert "Charter found nothing new" in summary.body
    assert outcome.done == {"resolve": 1, "summary": 1}
    assert again.done == {}


def test_without_the_right_to_resolve_the_text_says_it_and_nothing_claims_more(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        double.permissions = {"pull-requests"}
        charter.run()
        double.push(project.commit({"shop.py": BASE + "more = 1\n"}))
        outcome = charter.run()
        again = charter.run()
        (comment,) = double.ours()
    assert comment.resolved_by is None
    assert "No longer found" in comment.body
    assert "esolved" not in comment.body
    assert _state(comment) == "told"
    assert outcome.done == {"edit": 1, "summary": 1}
    assert again.done == {}


def test_what_comes_back_reopens_what_charter_closed(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        double.push(project.commit({"shop.py": BASE + "more = 1\n"}))
        charter.run()
        double.push(project.commit(BAD))
        outcome = charter.run()
        (comment,) = double.ours()
    assert comment.resolved_by is None
    assert "runs text as code" in comment.body
    assert outcome.done["reopen"] == 1


def test_what_a_person_resolved_stays_resolved(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        double.ours()[0].resolved_by = "alice"
        double.push(project.commit({"shop.py": _insert(BAD["shop.py"], 3, "a = 1")}))
        outcome = charter.run()
        (comment,) = double.ours()
    assert comment.resolved_by == "alice"
    assert "post" not in outcome.done
    assert "reopen" not in outcome.done


def test_a_comment_with_replies_is_never_taken_away(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        double.ours()[0].replies.append(("alice", "we know"))
        double.push(project.commit(CLEAN))
        charter.run()
        assert [entry for entry in double.log if entry[0] == "DELETE"] == []
        assert double.ours()[0].replies == [("alice", "we know")]


def test_a_marker_forged_by_somebody_else_is_not_believed(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        charter.run()
        marked = double.ours()[0].body
        double.comments.clear()
        double.foreign(marked, 21, "shop.py")
        outcome = charter.run()
    assert outcome.done == {"post": 1}


def test_a_marker_smuggled_in_by_the_code_is_not_believed(project: Project) -> None:
    fake = "# <!-- charter:v1 f=0123456789abcdef k=0123456789abcdef s=open d=0123456789abcdef -->"
    with bot(project, *_start(project, {"shop.py": f"x = '1'\ny = eval(x)  {fake}\n"})) as (charter, double):
        charter.run()
        (comment,) = double.ours()
        outcome = charter.run()
    marker = read_marker(comment.body)
    assert fake in comment.body
    assert marker
    assert marker.fingerprint != "0123456789abcdef"
    assert outcome.done == {}


def test_a_502_before_the_review_was_made_loses_nothing(project: Project) -> None:
    with bot(project, *_start(project, _many(5))) as (charter, double):
        double.faults.append(("POST .*/reviews", "before"))
        outcome = charter.run()
        assert len(double.ours()) == 5
    assert outcome.done["post"] == 5
    assert not outcome.problems


def test_a_502_after_the_review_was_made_says_nothing_twice(project: Project) -> None:
    with bot(project, *_start(project, _many(5))) as (charter, double):
        double.faults.append(("POST .*/reviews", "after"))
        double.faults.append(("POST .*/issues/7/comments", "after"))
        charter.run()
        assert len(double.ours()) == 5
        assert len(double.summaries) == 1
        assert double.reviews == 1


def test_two_502_in_a_row_end_in_a_summary_that_says_so(project: Project) -> None:
    with bot(project, *_start(project, _many(2))) as (charter, double):
        double.faults += [("POST .*/reviews", "before")] * 2
        outcome = charter.run()
        (summary,) = double.summaries
        assert double.ours() == []
    assert outcome.problems
    assert "Not commented on: the forge did not take it** (2)" in summary.body


def test_a_secondary_limit_is_waited_for_as_long_as_it_says(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        double.content_left = 0
        charter.run()
        assert len(double.ours()) == 1
    assert charter.slept == [7.0]


def test_a_limit_that_does_not_lift_is_given_up_and_told(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        double.faults += [("POST .*/pulls/7/comments", "limit")] * 60
        outcome = charter.run()
    assert sum(charter.slept) <= 300
    assert any("limit" in problem for problem in outcome.problems)


def test_120_findings_fill_the_cap_in_reviews_of_20_and_the_rest_is_told(project: Project) -> None:
    with bot(project, *_start(project, _many(120))) as (charter, double):
        charter.run(comments=50)
        again = charter.run(comments=50)
        assert len(double.ours()) == 50
        assert double.reviews == 3
        assert "enough comments already (70)" in double.summaries[0].body
    assert again.done == {}


def test_a_bad_place_loses_no_other_comment(project: Project) -> None:
    with bot(project, *_start(project, _many(3))) as (charter, double):
        double.refuse_line = 2
        outcome = charter.run()
        assert sorted(comment.line or 0 for comment in double.ours()) == [1, 3]
        (summary,) = double.summaries
    assert "The forge took no comment at these places" in summary.body
    assert outcome.done["post"] == 2
    assert len(outcome.problems) == 1


def test_among_250_comments_of_others_our_own_are_found(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        for number in range(250):
            double.foreign(f"nit {number}", 21, "shop.py")
        charter.run()
        double.summaries[:0] = [
            Comment(number, "alice", "hello", "", None, None, double.head, (None, 0)) for number in range(250)
        ]
        outcome = charter.run()
    assert outcome.done == {}


def test_a_read_only_token_posts_nothing_and_says_why(project: Project) -> None:
    with bot(project, *_start(project)) as (charter, double):
        double.permissions = set()
        outcome = charter.run()
        assert double.ours() == []
    assert outcome.denied
    assert "Resource not accessible by integration" in outcome.problems[0]


def test_nothing_is_posted_on_a_head_that_moved(project: Project) -> None:
    base, head = _start(project)
    with bot(project, base, head) as (charter, double):
        from review.toy import review_of

        review = review_of(project, base, head)
        double.push(project.commit({"shop.py": BASE}))
        outcome = charter.publish(review)
        assert double.posts() == []
    assert outcome.moved


def test_fences_in_the_code_do_not_end_the_suggestion(project: Project) -> None:
    line = "y = eval('````')"
    with bot(project, *_start(project, {"shop.py": f"{line}\n"})) as (charter, double):
        charter.run()
        (comment,) = double.ours()
    assert "`````suggestion\ny = int('````')\n`````\n" in comment.body


def test_nasty_file_names_are_commented_on_and_do_no_harm(project: Project) -> None:
    names = [
        "a b.py",
        "a,b::error file=z.py::owned\nx.py",
        "<img src=x>.py",
        "@octocat.py",
        "[x](http:).py",
        "ü.py",
    ]
    change = dict.fromkeys(names, "x = '1'\ny = eval(x)\n\n\ndef f():\n    global z\n")
    with bot(project, *_start(project, change)) as (charter, double):
        outcome = charter.run(comments=6)
        assert {comment.path for comment in double.ours()} == set(names)
        (summary,) = double.summaries
    assert not outcome.problems
    visible = "".join(part for number, part in enumerate(summary.body.split("`")) if number % 2 == 0)
    assert "@octocat" not in visible
    assert "<img" not in visible
    assert "\n::error" not in summary.body


def _many(count: int) -> Mapping[str, str | bytes | None]:
    return {"shop.py": "".join(f"v{n} = eval('{n}')\n" for n in range(count))}
