"""Keys, pseudonyms and the vault."""

import hashlib
import hmac
import multiprocessing
import pickle
import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import UsageError, VaultUnusable, WrongKey
from retrieval.values.study import PatientId
from retrieval.vault import store
from retrieval.vault.keys import Keys, open_keys
from retrieval.vault.pseudonyms import Pseudonyms
from retrieval.vault.store import Vault

NAME = "ab" * 12
SECRET = {"source": "/archive/CANARY^DOE", "study_uid": "1.2.840.1"}


def keys_of(file, fill=7):
    return Keys(file=file, master=bytes([fill]) * 32)


@pytest.fixture
def keys(tmp_path):
    return keys_of(tmp_path / "key")


@pytest.fixture
def vault(tmp_path, keys):
    return Vault(tmp_path / "home" / "vault.db", keys)


# --- keys -------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path):
    file = tmp_path / "config" / "cineseek" / "key"
    made = open_keys(file, create=True)
    assert len(made.master) == 32
    assert file.read_bytes() == made.master
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in file.parent.iterdir()] == ["key"]
    assert open_keys(file, create=True) == open_keys(file, create=False) == made
    assert open_keys(tmp_path / "other", create=True).master != made.master


def test_a_key_is_never_made_unasked(tmp_path):
    with pytest.raises(WrongKey, match="no such file"):
        open_keys(tmp_path / "key", create=False)
    assert not (tmp_path / "key").exists()


def test_no_new_key_for_a_home_that_has_a_vault(tmp_path, vault):
    with pytest.raises(WrongKey, match="no such file"):
        open_keys(tmp_path / "new", create=True, home=tmp_path / "home")
    assert not (tmp_path / "new").exists()
    assert open_keys(tmp_path / "new", create=True, home=tmp_path / "other home")


def _race(file, barrier, results):
    barrier.wait()
    results.put(open_keys(file, create=True).master)


def test_processes_that_race_end_with_one_key(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    racers = [
        context.Process(target=_race, args=(tmp_path / "key", barrier, results)) for _ in range(4)
    ]
    for racer in racers:
        racer.start()
    assert len({results.get(timeout=30) for _ in racers}) == 1
    for racer in racers:
        racer.join()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    open_keys(tmp_path / "key", create=True)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(UsageError, match=rf"mode {mode:04o}\); run: chmod 600"):
        open_keys(tmp_path / "key", create=True)
    assert (tmp_path / "key").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(("size", "found"), [(0, "0"), (31, "31"), (33, "more")])
def test_a_file_that_is_no_key_is_refused(tmp_path, size, found):
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_bytes(b"k" * size)
    with pytest.raises(WrongKey, match=f"holds {found} bytes"):
        open_keys(file, create=True)


def test_a_folder_is_no_key(tmp_path):
    with pytest.raises(WrongKey, match="cannot be read"):
        open_keys(tmp_path, create=False)


@pytest.mark.parametrize("place", ["home/key", "home/deep/key", "home/../home/key", "link/key"])
def test_a_key_inside_the_home_is_refused(tmp_path, place):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(UsageError, match="inside the home"):
        open_keys(tmp_path / place, create=True, home=home)
    with pytest.raises(UsageError, match="inside the home"):
        Vault(home / "vault.db", keys_of(tmp_path / place))
    assert list(home.iterdir()) == []


def test_keys_travel_to_workers_and_are_never_shown(keys):
    assert pickle.loads(pickle.dumps(keys)) == keys
    assert "\\x07" not in repr(keys)
    assert "master" not in repr(keys)


def test_subkeys_are_hkdf_of_their_purpose(keys):
    # RFC 5869 with an empty salt, written out: one block of output.
    extracted = hmac.digest(bytes(32), keys.master, "sha256")
    assert keys.subkey("vault") == hmac.digest(extracted, b"cineseek vault\x01", "sha256")
    assert keys.subkey("vault") != keys.subkey("date shift")


# --- pseudonyms -------------------------------------------------------------------------------


def all_names(pseudonyms, text):
    return [
        pseudonyms.study(text),
        pseudonyms.series(text),
        pseudonyms.instance(text),
        pseudonyms.patient("", text),
        pseudonyms.patient(text, ""),
        pseudonyms.path(text),
        pseudonyms.accession(text),
    ]


def test_pseudonyms_are_24_hexadecimal_digits_and_of_different_kinds(keys):
    names = all_names(Pseudonyms(keys), "1.2.3")
    assert all(len(n) == 24 and set(n) <= set("0123456789abcdef") for n in names)
    assert len(set(names)) == len(names)


def test_pseudonyms_depend_on_the_key_alone(keys, tmp_path):
    same = Pseudonyms(keys_of(tmp_path / "elsewhere"))
    assert all_names(Pseudonyms(keys), "1.2.3") == all_names(same, "1.2.3")
    other = all_names(Pseudonyms(keys_of(tmp_path / "key", 8)), "1.2.3")
    assert not set(other) & set(all_names(same, "1.2.3"))


def test_a_pseudonym_is_an_hmac_with_a_subkey(keys):
    message = len(b"1.2.3").to_bytes(8, "big") + b"1.2.3"
    expected = hmac.new(keys.subkey("pseudonym study"), message, hashlib.sha256).hexdigest()
    assert Pseudonyms(keys).study("1.2.3") == expected[:24]


def test_padding_says_nothing_but_paths_are_taken_as_they_are(keys):
    p = Pseudonyms(keys)
    assert p.study("1.2.3\0") == p.study("1.2.3")
    assert p.patient(" I", "P ") == p.patient("I", "P")
    assert p.accession(" A1 ") == p.accession("A1")
    assert p.path("a ") != p.path("a")
    assert len(p.path("not \udcff UTF-8")) == 24


@settings(deadline=None)
@given(a=st.tuples(st.text(), st.text()), b=st.tuples(st.text(), st.text()))
def test_patients_of_different_issuers_never_meet(a, b):
    p = Pseudonyms(keys_of(None))
    bare = [tuple(x.strip(" \0") for x in pair) for pair in (a, b)]
    assert (p.patient(*a) == p.patient(*b)) == (bare[0] == bare[1])


def test_issuer_and_id_do_not_run_together(keys):
    p = Pseudonyms(keys)
    assert p.patient("ab", "c") != p.patient("a", "bc")


def test_shifts_reach_every_day_of_a_year_but_none(keys, tmp_path):
    p, other = Pseudonyms(keys), Pseudonyms(keys_of(tmp_path / "key", 8))
    patients = [PatientId(f"{n:024x}") for n in range(12_000)]
    shifts = [p.shift_days(patient) for patient in patients]
    assert set(shifts) == set(range(-364, 365)) - {0}
    assert shifts[:50] == [p.shift_days(patient) for patient in patients[:50]]
    assert shifts[:50] != [other.shift_days(patient) for patient in patients[:50]]
    assert abs(sum(shifts) / len(shifts)) < 10  # 12,000 draws: standard error 1.9


# --- the vault --------------------------------------------------------------------------------


def test_what_was_kept_comes_back_also_later(vault, tmp_path, keys):
    assert vault.get(NAME) is None
    vault.put(NAME, "study", SECRET)
    vault.put_many([("cd" * 12, "series", {"series_uid": "1.2"}), ("ef" * 12, "study", {})])
    again = Vault(tmp_path / "home" / "vault.db", keys, create=False)
    assert again.get(NAME) == SECRET
    assert again.get("cd" * 12) == {"series_uid": "1.2"}
    assert again.get("ef" * 12) == {}
    again.put(NAME, "study", {"source": "moved"})
    assert vault.get(NAME) == {"source": "moved"}


@settings(deadline=None, max_examples=30)
@given(payload=st.dictionaries(st.text(), st.text()))
def test_any_text_comes_back(tmp_path_factory, payload):
    vault = Vault(tmp_path_factory.mktemp("home") / "vault.db", keys_of(tmp_path_factory.getbasetemp() / "key"))  # noqa: E501  # fmt: skip
    vault.put(NAME, "study", payload)
    assert vault.get(NAME) == payload


def test_nothing_can_be_read_in_the_file(vault, tmp_path):
    vault.put(NAME, "study", SECRET)
    vault.put("cd" * 12, "study", SECRET)
    whole = b"".join(p.read_bytes() for p in (tmp_path / "home").iterdir())
    for word in ("CANARY", "archive", "1.2.840", "study_uid"):
        assert word.encode() not in whole
    assert NAME.encode() in whole
    assert (tmp_path / "home" / "vault.db").stat().st_mode & 0o777 == 0o600


def test_equal_entries_are_not_equal_in_the_file(vault, tmp_path):
    vault.put_many([(NAME, "study", SECRET), ("cd" * 12, "study", SECRET)])
    vault.put(NAME, "study", SECRET)
    with sqlite3.connect(tmp_path / "home" / "vault.db") as connection:
        boxes = [box for (box,) in connection.execute("SELECT box FROM secret")]
    connection.close()
    assert len({box[:12] for box in boxes}) == 2


@pytest.mark.parametrize("create", [True, False])
def test_another_key_is_refused_and_named(vault, tmp_path, create):
    vault.put(NAME, "study", SECRET)
    other = keys_of(tmp_path / "other key", 8)
    with pytest.raises(WrongKey, match=r"other key.*does not open vault\.db"):
        Vault(tmp_path / "home" / "vault.db", other, create=create)
    assert vault.get(NAME) == SECRET


def test_a_wrong_key_is_a_usage_error():
    assert issubclass(WrongKey, UsageError)


def altered(path, statement, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_an_altered_entry_is_refused(vault, tmp_path):
    vault.put(NAME, "study", SECRET)
    altered(tmp_path / "home" / "vault.db", "UPDATE secret SET box = zeroblob(length(box))")
    with pytest.raises(VaultUnusable, match=NAME):
        vault.get(NAME)


@pytest.mark.parametrize("column", ["pseudonym", "kind"])
def test_an_entry_cannot_pass_for_another(vault, tmp_path, column):
    vault.put(NAME, "study", SECRET)
    altered(tmp_path / "home" / "vault.db", f"UPDATE secret SET {column} = ?", "cd" * 12)
    with pytest.raises(VaultUnusable, match="altered"):
        vault.get("cd" * 12 if column == "pseudonym" else NAME)


def test_many_are_kept_all_or_none(vault):
    with pytest.raises(VaultUnusable):
        vault.put_many([(NAME, "study", SECRET), (None, "study", SECRET)])
    assert vault.get(NAME) is None


def test_a_missing_or_broken_vault_is_unusable(tmp_path, keys):
    path = tmp_path / "home" / "vault.db"
    with pytest.raises(VaultUnusable, match="no such file"):
        Vault(path, keys, create=False)
    assert not path.exists()
    path.parent.mkdir()
    path.write_bytes(b"junk" * 1000)
    with pytest.raises(VaultUnusable, match="not a database"):
        Vault(path, keys)


def test_a_vault_whose_making_broke_off_is_made_after_all(tmp_path, keys):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "vault.db").touch()
    Vault(tmp_path / "home" / "vault.db", keys).put(NAME, "study", SECRET)
    assert Vault(tmp_path / "home" / "vault.db", keys).get(NAME) == SECRET


def test_a_lock_that_is_never_let_go_is_unusable(vault, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "WAIT_S", 0.05)
    holder = sqlite3.connect(tmp_path / "home" / "vault.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(VaultUnusable, match="locked"):
        vault.put(NAME, "study", SECRET)
    assert vault.get(NAME) is None  # reading needs no turn
    holder.close()


def test_threads_and_processes_may_share_it(vault):
    copied = pickle.loads(pickle.dumps(vault))

    def write(n):
        for i in range(5):
            copied.put(f"{n:012x}{i:012x}", "study", {"n": str(n)})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    found = [vault.get(f"{n:012x}{i:012x}") for n in range(3) for i in range(5)]
    assert found == [{"n": str(n)} for n in range(3) for _ in range(5)]
