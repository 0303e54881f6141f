"""One study: all its clips in step, its report, where it comes from, and its nearest cases."""

import streamlit as st

from webui.address import Address
from webui.backend import Desk


def show(desk: Desk, address: Address) -> None:
    """Show one study."""
    st.write(address.study)
