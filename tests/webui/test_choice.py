"""Which clips stand for a study."""

import fake_archive
import pytest

from retrieval.values.study import Technique, View
from webui.choice import strip

FULL = fake_archive.heart(0).clips  # SAX, long axes and LGE
SHORT_ONLY = tuple(c for c in FULL if c.view is View.SHORT_AXIS and c.technique is Technique.CINE)


def middle(clips):
    return clips[len(clips) // 2]


def names(slots):
    return [(s.label, s.clip.view.value if s.clip else None) for s in slots]


def test_a_full_study_shows_the_long_axes_and_late_enhancement():
    slots = strip(middle(SHORT_ONLY), FULL)
    assert names(slots) == [("4CH", "4CH"), ("2CH", "2CH"), ("LGE", "SAX")]
    assert slots[2].clip.technique is Technique.LGE


def test_a_short_axis_archive_shows_base_and_apex_and_says_that_the_rest_is_missing():
    slots = strip(middle(SHORT_ONLY), SHORT_ONLY)
    assert names(slots) == [("base", "SAX"), ("apex", "SAX"), ("LGE", None)]
    assert slots[0].clip.slice_index < middle(SHORT_ONLY).slice_index < slots[1].clip.slice_index


@pytest.mark.parametrize(("view", "place"), [(View.FOUR_CHAMBER, 0), (View.TWO_CHAMBER, 1)])
def test_what_the_large_picture_shows_is_not_shown_again(view, place):
    main = next(c for c in FULL if c.view is view and c.technique is Technique.CINE)
    slots = strip(main, FULL)
    assert slots[place].label == "SAX"
    assert main not in [slot.clip for slot in slots]


def test_a_late_enhancement_in_the_large_picture_leaves_room_for_the_cine():
    main = next(c for c in FULL if c.technique is Technique.LGE)
    slot = strip(main, FULL)[2]
    assert (slot.label, slot.clip.technique) == ("SAX", Technique.CINE)


def test_without_any_cine_the_missing_views_are_named():
    late = tuple(c for c in FULL if c.technique is Technique.LGE and c.view is View.FOUR_CHAMBER)
    assert names(strip(late[0], late)) == [("4CH", None), ("2CH", None), ("LGE", None)]


def test_a_basal_best_match_is_not_repeated_beside_itself():
    base = strip(middle(SHORT_ONLY), SHORT_ONLY)[0].clip
    slots = strip(base, SHORT_ONLY)
    assert slots[0].label == "mid"
    assert base not in [slot.clip for slot in slots]
