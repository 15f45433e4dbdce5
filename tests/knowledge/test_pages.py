"""Names, titles and links of pages."""

from __future__ import annotations

import pytest

from knowledge.pages import (
    PageKey,
    likeness,
    linked_pages,
    name_of,
    name_words,
    parts_of,
    same_names,
    share,
    words_of,
)


def page(path: str, origin: str = "markdown:a") -> PageKey:
    return PageKey(origin, path)


def links(text: str, *paths: str, source: str = "docs/tasks/start.md") -> set[str]:
    (found,) = linked_pages([(page(source), text)], [page(path) for path in (*paths, source)])
    return {key.path for key in found}


def test_words_fold_plurals_and_take_names_apart_but_keep_them_whole() -> None:
    assert words_of("The KubePods of a class") == {"kubepod", "kube", "pod", "class"}
    assert name_words("KubePodsNotReady") == {"kube", "pod", "ready"}


@pytest.mark.parametrize(
    ("title", "question", "expected"),
    [
        ("Disk pressure", "a node under disk pressure", 1.0),
        ("Disk pressure", "the disk is full", 0.5),
        ("Disk pressure", "a pod", 0.0),
        ("The", "the", 0.0),
    ],
)
def test_the_share_of_a_title_in_a_question(title: str, question: str, expected: float) -> None:
    assert share(name_words(title), words_of(question)) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("KubeJobFailed", "kube-jobs-failed", 1.0),
        ("KubeJobFailed", "KubeJobSlow", 2 / 3),
        ("KubeJobFailed", "JobFailed", 0.8),
        ("KubeJobFailed", "disk", 0.0),
        ("the", "the", 0.0),
    ],
)
def test_names_are_alike_as_far_as_they_share_words(one: str, other: str, expected: float) -> None:
    assert likeness(name_words(one), name_words(other)) == pytest.approx(expected)


def test_an_index_page_is_its_folder() -> None:
    assert parts_of("Docs/Pods/_index.md") == ("docs", "pods")
    assert name_of("docs/Pods/README.md") == "Pods"
    assert name_of("README.md") == "README"
    assert name_of("docs/a.b.md") == "a.b"


def test_a_site_link_finds_the_page_whose_last_two_parts_are_the_same() -> None:
    text = "See [pods](/docs/concepts/pods/#life) and [x](https://example.com/other/pods?v=1)."
    assert links(text, "k8s/concepts/pods.md", "k8s/tasks/pods.md") == {"k8s/concepts/pods.md"}
    assert links("[pods](/docs/concepts/pods/)", "k8s/concepts/pods/_index.md") == {
        "k8s/concepts/pods/_index.md"
    }


def test_a_relative_link_finds_a_page_of_the_same_collection_only() -> None:
    assert links("[next](./next.md)", "docs/tasks/next.md") == {"docs/tasks/next.md"}
    assert links("[next](../setup/next.md)", "docs/setup/next.md") == {"docs/setup/next.md"}
    assert links("[next](next.md)", "other/tasks/next.md") == set()
    (found,) = linked_pages(
        [(page("docs/start.md"), "[next](next.md)")], [page("docs/next.md", "markdown:b")]
    )
    assert found == set()


@pytest.mark.parametrize(
    "text", ["[self](start.md)", "[here](#part)", "[mail](mailto:a@example.com)", "[up](..)", "no"]
)
def test_what_leads_to_no_other_page_is_no_link(text: str) -> None:
    assert links(text, "docs/tasks/next.md") == set()


def test_pages_of_one_telling_name_belong_together() -> None:
    pages = [
        page("a/TargetDown.md"),
        page("b/alerts/targetdown.md"),
        page("a/KubeAPIDown.md"),
        page("a/redis/README.md"),
        page("b/redis/README.md"),
    ]
    assert same_names(pages) == [[pages[0], pages[1]]]
