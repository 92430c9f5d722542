"""The book of team messages, against a plain list, whatever is done in whatever order."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.team_messages import ACTIVE_PER_TEAM_MAX, Author, TeamMessage, TeamMessageBook, TeamMessageRequest

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["create", "remove", "time"]),
        st.integers(1, 500),
        st.sets(st.integers(1, 3), min_size=1),
    ),
    max_size=120,
)


@given(actions=ACTIONS)
def test_the_book_is_what_a_list_would_say(actions: list[tuple[str, int, set[int]]]) -> None:
    book, expected, now = TeamMessageBook(), dict[str, TeamMessage](), 0.0
    for n, (action, value, teams) in enumerate(actions):
        match action:
            case "create":
                wanted = TeamMessageRequest(value, "x", tuple(sorted(teams)))
                crowded = any(sum(t in m.teams for m in expected.values()) >= ACTIVE_PER_TEAM_MAX for t in teams)
                if crowded:
                    with pytest.raises(ApiException, match=Code.TEAM_MESSAGE_LIMIT.value):
                        book.create(wanted, Author("1101"), str(n), now, 1e9 + now)
                else:
                    expected[str(n)] = book.create(wanted, Author("1101"), str(n), now, 1e9 + now)
            case "remove":
                name = str(value % (n + 1))
                assert book.remove(name) == expected.pop(name, None)
            case _:
                now += value / 10
                over = [m for m in expected.values() if m.expires_at <= now]
                assert sorted(m.message_id for m in book.due(now)) == sorted(m.message_id for m in over)
                for message in over:
                    del expected[message.message_id]
        assert book.deadline == min((m.expires_at for m in expected.values()), default=inf)
        assert book.by_author("1101") == list(expected.values())
        for team in (1, 2, 3):
            assert {m.message_id for m in book.of_teams((team,))} == {
                m.message_id for m in expected.values() if team in m.teams
            }
